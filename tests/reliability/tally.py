"""What the long runs tried, written down for the page on reliability."""

import json
import os
from pathlib import Path

RECORD = Path(__file__).with_name("tally.json")


def tally(topic: str, entry: str, **counts: int) -> None:
    """Keep the counts of one entry, if `VERTEBRO_TALLY` asks for it."""
    if not os.environ.get("VERTEBRO_TALLY"):
        return
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.is_file() else {}
    record.setdefault(topic, {})[entry] = counts
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
