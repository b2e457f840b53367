"""The page on reliability, made from what the long runs wrote down: `python -m tests.reliability.page`."""

import json
from pathlib import Path

from tests.reliability.tally import RECORD

PAGE = Path(__file__).parents[2] / ".github" / "RELIABILITY.md"
HEAD = """# What was tried, and what was lost or disclosed

Made by `python -m tests.reliability.page` from the counts of the long runs
(`VERTEBRO_TALLY=1 python -m pytest -m "slow or not slow" tests/reliability tests/unit/display`); a test keeps
it in step with them.
CI runs a part of each: every reader, estimator and format, fewer inputs.
"""
WORDS = {
    "broken files": (
        "Files damaged at random, by reader. Each got a right result or one of our messages; any "
        "other ending fails the run.",
        {"inputs": "Inputs", "result": "Result", "refused": "Message"},
    ),
    "planted identifiers": (
        "Names, dates of birth, record numbers and sentences planted in an export; every byte "
        "written and said was searched for them, Parquet and PDF unpacked. `data and report` takes the "
        "six exports together once more; its cells are not added again.",
        {"cells": "Cells with an identifier", "found": "Found outside"},
    ),
    "disclosure": (
        "Tables of counts with small cells hidden, attacked by linear programming with all their totals; "
        "and every table that the report writes of five registries, those of one registry together, with "
        "what equals what and adds up to what learnt from the full tables of all: no hidden number of one "
        "to ten could be bounded below the threshold.",
        {"tables": "Tables", "cells": "Cells attacked", "recovered": "Recovered"},
    ),
    "interruptions": (
        "`kill -9` of a command at seeded moments, half of them before a change on disk and half by the "
        "clock: what stood there before or the new result, whole; the next run gave the bytes of an "
        "undisturbed one every time.",
        {
            "moments": "Moments",
            "killed": "Died of it",
            "kept": "Former result intact",
            "broken": "Broken",
        },
    ),
    "statistics under stress": (
        "Degenerate data by call: a result that holds together (no interval without its estimate, no "
        "warning, no certainty out of nothing) or a message.",
        {"inputs": "Inputs", "answered": "Result"},
    ),
}

VERSIONS = """## Versions
`python .ci/versions.py` runs a thousand quick tests and the stored numbers (equal to 1e-9) against the
lowest version of each dependency that pyproject.toml allows (Python 3.11) and the newest (Python 3.11, 3.12,
3.13 and 3.14): all passed.
"""
AGAIN = {"data and report"}  # what other rows count already


def page(record: dict[str, dict[str, dict[str, int]]]) -> str:
    """Markdown: a table per topic, with its sums."""
    parts = [HEAD]
    for topic, (words, columns) in WORDS.items():
        rows = record.get(topic, {})
        parts.append(f"## {topic.capitalize()}\n{words}\n")
        parts.append("| | " + " | ".join(columns.values()) + " |\n|---|" + "---:|" * len(columns))
        for name, counts in sorted(rows.items()):
            parts.append(f"| {name} | " + " | ".join(f"{counts[c]:,}" for c in columns) + " |")
        own = [counts for name, counts in rows.items() if name not in AGAIN]
        sums = [f"{sum(counts[c] for counts in own):,}" for c in columns]
        parts.append("| **all** | " + " | ".join(sums) + " |\n")
    return "\n".join([*parts, VERSIONS]).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(RECORD.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
