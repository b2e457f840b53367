"""Rows of the raw sheets inside the report: how they are named, linked and printed."""

import re
from collections.abc import Iterable, Mapping

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.report.blocks import anchor, joined, link
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES

_HOST = re.compile(r"^https?://(?:www\.)?")
_OWN_COLUMN = frozenset(
    {"study_id", "review_id", "source_locator", "source_url", "verification", "label"}
)


def row_link(source_line: str) -> Markup:
    """`contrasts.csv:12`, linked to where the report prints that row."""
    return link(f"#{anchor(source_line)}", source_line)


def row_links(source_lines: Iterable[str]) -> Markup:
    """Several rows in one cell."""
    return joined([row_link(line) for line in source_lines])


def sheet_table(name: str, rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """A sheet as a reader meets it: the row, the study, what is printed, where, and the link.

    `labels` names the studies by study_id.
    """
    key = next((k for k in ("study_id", "review_id") if k in rows.columns), None)
    records = rows.to_dict("records")
    shown = {
        "row": [record["source_line"] for record in records],
        "study": [labels.get(record[key], record[key]) if key else "" for record in records],
        "printed": [as_printed(name, record) for record in records],
        "where": [record.get("source_locator", "") for record in records],
        "source": [_source(record) for record in records],
        "verification": [record.get("verification", "") for record in records],
        "anchor": [anchor(record["source_line"]) for record in records],
    }
    return pd.DataFrame(shown)


def as_printed(name: str, record: dict[str, object]) -> str:
    """The filled cells of a raw row: 'outcome pain_nrs; timepoint_days 30; estimate 0.1'."""
    cells = []
    for column in LITERATURE_TABLES[name].names:
        if column in _OWN_COLUMN:
            continue
        value = record.get(f"{column}_printed", record.get(column))
        if value is not None and not pd.isna(value) and str(value):
            cells.append(f"{column} {value}")
    return "; ".join(cells)


def _source(record: dict[str, object]) -> Markup:
    links = []
    if record.get("doi"):
        links.append(link(f"https://doi.org/{record['doi']}", f"doi:{record['doi']}"))
    if record.get("pmid"):
        links.append(link(f"https://pubmed.ncbi.nlm.nih.gov/{record['pmid']}/", "PubMed"))
    if str(record.get("source_url", "")).startswith(("http://", "https://")):
        address = str(record["source_url"])
        links.append(link(address, f"read at {_HOST.sub('', address).partition('/')[0]}"))
    return joined(links, " · ")
