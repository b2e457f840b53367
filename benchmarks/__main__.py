"""Run every benchmark and write reports/benchmarks.csv and the page reports/benchmarks.html."""

from pathlib import Path

import pandas as pd

from benchmarks import (
    comparisons,
    documents,
    r_peers,
    registry_load,
    survival,
    synthesis,
    vertebrae,
)
from benchmarks.page import write_page
from benchmarks.timing import row

OUTPUT = Path(__file__).parents[1] / "reports" / "benchmarks.csv"


def main() -> None:
    lines = []
    for topic in (synthesis, documents, registry_load, comparisons, survival, vertebrae):
        for task in topic.tasks():
            lines.append(row(task))
            print(f"{task.name} ({task.size}): {lines[-1]['seconds']:.4g} s", flush=True)
    lines += r_peers.lines()
    table = pd.DataFrame(lines)
    OUTPUT.parent.mkdir(exist_ok=True)
    table.to_csv(OUTPUT, index=False, float_format="%.4g")
    write_page(table, OUTPUT.with_suffix(".html"))
    print(table.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
