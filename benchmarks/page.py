"""The benchmark table as a page."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from vertebro_outcomes.display.tables import html_table

LABELS = {
    "task": "task", "size": "size", "seconds": "our seconds", "peak_mib": "memory added, MiB",
    "peer": "peer", "peer_seconds": "its seconds", "times_faster": "times faster",
    "largest_difference": "largest difference of results",
}  # fmt: skip
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{padding:.25rem .75rem;text-align:left;"
    "border-bottom:1px solid #ccc}.num{text-align:right;font-variant-numeric:tabular-nums}"
)


def write_page(table: pd.DataFrame, file: Path) -> None:
    """One table, and the machine it was measured on."""
    shown = table.copy()
    for name in ("seconds", "peak_mib", "peer_seconds", "times_faster", "largest_difference"):
        shown[name] = [f"{value:.3g}" if pd.notna(value) else "" for value in table[name]]
    caption = "Speed against peers in the same run; a floor is what no reader can go below"
    made = html_table(shown, caption=caption, labels=LABELS, numeric=list(shown.columns[2:4]))
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "duckdb"))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {libraries}"
    file.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Benchmarks</title>'
        f"<style>{STYLE}</style></head><body><main><h1>Benchmarks</h1><p>{machine}. Median of "
        "several runs after a warm-up; one run where it takes more than five seconds. Rows of R are "
        f"there where R is.</p>{made}</main></body></html>\n",
        encoding="utf-8",
    )
