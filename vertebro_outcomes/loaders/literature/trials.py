"""Which reports are about the same patients, and one report per trial, outcome and time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

# Reports of one trial that share no parent, DOI, PubMed number or registration in the sheet.
SAME_TRIAL: Final[dict[str, tuple[str, str]]] = {
    "jnis_kp_vp_rct": ("evans2016", "same arms (59 KP, 56 VP), same journal: the baseline table"),
    "diamond_79": ("diamond2006", "earlier report of the same series (79, later 126 patients)"),
}
PARTS: Final[dict[str, tuple[str, ...]]] = {"staples2011": ("buchbinder2009", "kallmes2009")}
_IDENTIFIERS: Final = ("doi", "pmid", "pmcid", "registration")


@dataclass(frozen=True)
class DataSource:
    """Whose records a claims study reads, and in which years: two of them may hold one patient."""

    name: str
    first_year: int
    last_year: int

    def overlaps(self, other: "DataSource") -> bool:
        same = self.name == other.name
        return same and self.first_year <= other.last_year and other.first_year <= self.last_year

    def __str__(self) -> str:
        return f"{self.name} {self.first_year}-{self.last_year}"


DATA_SOURCES: Final[dict[str, DataSource]] = {
    "rti_vcf_conf": DataSource("US Medicare", 1997, 2001),
    "lau2008": DataSource("US Medicare", 1997, 2004),
    "mccullough2013": DataSource("US Medicare", 2002, 2006),
    "chen2013": DataSource("US Medicare", 2006, 2006),
    "edidin2011": DataSource("US Medicare", 2005, 2008),
    "edidin2015": DataSource("US Medicare", 2005, 2009),
    "ong2018": DataSource("US Medicare", 2005, 2014),
    "hirsch2020": DataSource("US Medicare", 2005, 2014),
    "gold2023": DataSource("US Medicare", 2017, 2019),
    "ijss16_3_490": DataSource("US National Inpatient Sample", 2012, 2016),
    "mills2022": DataSource("US National Inpatient Sample", 2015, 2018),
    "tsai_taiwan": DataSource("Taiwan NHI", 2004, 2007),
    "lange2014": DataSource("German health insurance fund", 2006, 2010),
    "choi2020": DataSource("Korean HIRA", 2012, 2016),
}


def trial_ids(studies: pd.DataFrame) -> dict[str, str]:
    """For every study the trial its patients belong to: the root of its parents, or a twin entry.

    `studies` has `study_id`, `parent_study_id` and the identifiers, as text. Entries that share a
    DOI, PubMed number or registration are one trial; its id is the first root in the sheet.
    """
    order = {study: i for i, study in enumerate(studies["study_id"])}
    root = {study: study for study in order}

    def find(study: str) -> str:
        while root[study] != study:
            study = root[study]
        return study

    for study, parent in zip(studies["study_id"], studies["parent_study_id"], strict=True):
        if parent:
            root[find(study)] = find(parent)
    for first, twin in _twins(studies):
        main, other = sorted((find(first), find(twin)), key=order.__getitem__)
        root[other] = main
    for study, (same, _) in SAME_TRIAL.items():
        if study in root and same in root:
            root[find(study)] = find(same)
    return {study: find(study) for study in order}


def _twins(studies: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Pairs of entries that share an identifier."""
    for column in _IDENTIFIERS:
        for value, group in studies.groupby(column)["study_id"]:
            if value:
                yield from ((group.iloc[0], study) for study in group[1:])


def one_report_per_trial(
    rows: pd.DataFrame, *, by: tuple[str, ...] = ("trial_id", "outcome", "timepoint_days")
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One report per trial, outcome and time, so that no patient counts twice.

    Of several reports the one stays that states its direction, then one with an interval, then the
    trial's main report, then the first in the sheet. All rows of the report that stays are kept
    (its arms, for instance).

    Returns
    -------
    (kept, left out with `reason`)
    """
    rows = rows.reset_index(drop=True)
    inferred = _column(rows, "direction_basis").str.startswith("inferred")
    bare = _column(rows, "ci_low").isin(["nan", ""]) & ("ci_low" in rows.columns)
    rank = 4 * inferred + 2 * bare + 1 * (rows["study_id"] != rows["trial_id"])
    best = pd.DataFrame({"rank": rank, "row": np.arange(len(rows)), "study": rows["study_id"]})
    best["group"] = rows.groupby(list(by), dropna=False, sort=False).ngroup()
    stays = best.sort_values(["rank", "row"]).drop_duplicates("group").set_index("group")["study"]
    chosen = best["group"].map(stays)
    keep = (rows["study_id"] == chosen).to_numpy()
    left = rows[~keep].copy()
    left["reason"] = "another report of the same trial is used: " + chosen[~keep].astype(str)
    return rows[keep].copy(), left


def _column(rows: pd.DataFrame, name: str) -> "pd.Series[str]":
    if name not in rows.columns:
        return pd.Series("", index=rows.index)
    return rows[name].astype(str)
