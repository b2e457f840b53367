"""One review's reproduction as a page and a CSV file."""

from pathlib import Path
from typing import Final

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.svg import save_svg
from vertebro_outcomes.report.blocks import Block, FigureBlock, TableBlock, prose
from vertebro_outcomes.report.files import write_whole
from vertebro_outcomes.report.page import render_page
from vertebro_outcomes.report.rendered import render_section
from vertebro_outcomes.results.reproduction import WORDS, Reproduction
from vertebro_outcomes.tables.csv_text import csv_text

_LABELS: Final = {
    "unit_id": "Result",
    "what": "Outcome",
    "measure": "Measure",
    "k": "Studies",
    "published": "Published",
    "recomputed": "Recomputed",
    "verdict": "Verdict",
    "reason": "Why",
}
# A reader acts on what did not come out; that stands first.
_ORDER: Final = ("not_reproduced", "reproduced_otherwise", "not_checkable", "reproduced")


def write_reproduction(reproduction: Reproduction, folder: Path) -> None:
    """Write `<review>_reproduction.html` and `.csv` into `folder`, each whole or not at all."""
    name = f"{reproduction.review_id}_reproduction"
    write_whole(folder / f"{name}.csv", csv_text(reproduction.to_frame()).encode())
    write_whole(folder / f"{name}.html", _page(reproduction).encode())


def _page(reproduction: Reproduction) -> str:
    blocks: list[Block] = [
        prose(
            "{n} pooled results were computed again with the review's own stated methods.",
            n=numbers.count(len(reproduction.rows)),
        )
    ]
    if reproduction.rows["recomputed_estimate"].notna().any():
        blocks.append(
            FigureBlock(
                name="published_against_recomputed",
                svg=save_svg(reproduction.plot().figure),
                alt=str(reproduction),
                caption="Published against recomputed estimates: on the line where a number came out.",
            )
        )
    blocks.append(
        TableBlock(
            name="reproduction",
            shown=_shown(reproduction.rows),
            data=reproduction.to_frame(),
            caption="Published beside recomputed, what did not come out first",
            labels=_LABELS,
            numeric=("k",),
        )
    )
    parts = [render_section("Pooled results", "pooled-results", blocks)]
    lead = f"{reproduction!s}."
    closing = " ".join(reproduction.notes)
    title = f"Reproduction of {reproduction.review_id}"
    return render_page(parts, title=title, lead=lead, closing=closing)


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    rank = rows["verdict"].map(_ORDER.index)
    rows = rows.loc[rank.sort_values(kind="stable").index]
    what = [
        " · ".join(filter(None, (row.comparison, row.outcome, row.subgroup)))
        for row in rows.itertuples()
    ]
    return pd.DataFrame(
        {
            "unit_id": rows["unit_id"].tolist(),
            "what": what,
            "measure": rows["measure"].tolist(),
            "k": [numbers.count(k) for k in rows["k"]],
            "published": _with_interval(rows, "published"),
            "recomputed": _with_interval(rows, "recomputed"),
            "verdict": [WORDS[verdict] for verdict in rows["verdict"]],
            "reason": rows["reason"].tolist(),
        }
    )


def _with_interval(rows: pd.DataFrame, side: str) -> list[str]:
    columns = [f"{side}_estimate", f"{side}_ci_low", f"{side}_ci_high"]
    return [
        numbers.estimate_with_interval(estimate, (low, high))
        if pd.notna(estimate)
        else numbers.MISSING
        for estimate, low, high in rows[columns].itertuples(index=False)
    ]
