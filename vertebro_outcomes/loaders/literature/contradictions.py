"""Numbers of one trial that do not agree: found by rule, listed side by side, never resolved."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

COLUMNS: Final = (
    "rule",
    "trial_id",
    "outcome",
    "arm",
    "timepoint_days",
    "what",
    "printed",
    "source_lines",
)
_CONTRAST: Final = ["treatment_printed", "comparator_printed", "measure"]


def find_contradictions(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Same trial, arm, outcome, time and quantity with different numbers, and what cannot fit.

    The rules: different numbers for one thing (other analyses of one trial are told apart by their
    label); an estimate outside its own interval; a baseline and a change that do not make the end
    score; patients of both arms that differ from those of the study. `printed` and `source_lines`
    hold what disagrees, side by side.
    """
    found = [
        *_different(tables["arm_continuous"], ["arm_printed", "kind"], ("mean", "sd")),
        *_different(tables["arm_binary"], ["arm_printed", "unit"], ("events",)),
        *_different(tables["contrasts"], _CONTRAST, ("estimate",)),
        *_outside(tables["contrasts"]),
        *_outside(tables["pooled_published"]),
        *_sums(tables["arm_continuous"]),
        *_arm_sizes(tables["studies"], tables["arm_continuous"]),
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _entry(rule: str, rows: list[pd.Series], what: str, printed: list[str]) -> dict[str, object]:
    first = rows[0]
    for name in ("arm_printed", "comparison"):
        if name in first.index:
            arm = first[name]
            break
    else:
        arm = f"{first['treatment_printed']} vs {first['comparator_printed']}"
    return {
        "rule": rule,
        "trial_id": first["trial_id"],
        "outcome": first["outcome"],
        "arm": arm,
        "timepoint_days": first.get("timepoint_days", np.nan),
        "what": what,
        "printed": " | ".join(printed),
        "source_lines": ", ".join(str(row["source_line"]) for row in rows),
    }


def _different(
    rows: pd.DataFrame, keys: list[str], values: tuple[str, ...]
) -> Iterator[dict[str, object]]:
    if "direction" in rows.columns:
        rows = rows[rows["direction"] != "not_stated"]
    keys = ["trial_id", "outcome", "timepoint_days", *keys]
    for value in values:
        given = rows[rows[value].notna() & rows["timepoint_days"].notna()]
        numbers = given[value].astype(float).round(9)
        distinct = numbers.groupby([given[key] for key in keys]).transform("nunique")
        for _, group in given[distinct > 1].groupby(keys, sort=False):
            several = len(set(group["timepoint_label"])) > 1
            first = [row for _, row in group[~numbers[group.index].duplicated()].iterrows()]
            rule = "different numbers" + (", analyses labelled differently" if several else "")
            yield _entry(rule, first, value, [_with_label(r, value, several) for r in first])


def _with_label(row: pd.Series, value: str, several: bool) -> str:
    printed = str(row[f"{value}_printed"])
    return f"{printed} ({row['timepoint_label']})" if several else printed


def _outside(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    outside = (rows["estimate"] < rows["ci_low"]) | (rows["estimate"] > rows["ci_high"])
    for _, row in rows[outside].iterrows():
        printed = f"{row['estimate_printed']} ({row['ci_low_printed']} to {row['ci_high_printed']})"
        yield _entry("estimate outside its interval", [row], "estimate", [printed])


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def _sums(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Baseline plus change against end score, with the rounding of the three printed numbers."""
    keys = ["study_id", "outcome", "arm_printed"]
    whole = rows[rows.groupby(keys)["kind"].transform("nunique") == 3]
    for _, group in whole.groupby(keys, sort=False):
        kinds = {kind: group[group["kind"] == kind] for kind in ("baseline", "change", "endpoint")}
        triples = product(*(frame.iterrows() for frame in kinds.values()))
        for triple in triples:
            start, change, end = (row for _, row in triple)
            slack = sum(0.5 * 10.0 ** -_decimals(r["mean_printed"]) for r in (start, change, end))
            same_time = change["timepoint_days"] == end["timepoint_days"]
            if same_time and abs(start["mean"] + change["mean"] - end["mean"]) > slack + 1e-9:
                printed = [str(row["mean_printed"]) for row in (start, change, end)]
                rule = "baseline plus change is not the end score"
                yield _entry(rule, [start, change, end], "mean", printed)


def _arm_sizes(studies: pd.DataFrame, rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Baselines of both arms together against the patients of the trial."""
    source = studies.set_index("study_id")
    both = rows[(rows["arm_printed"] == "ALL") & (rows["kind"] == "baseline") & rows["n"].notna()]
    for _, row in both.iterrows():
        study = source.loc[row["study_id"]]
        if pd.notna(study["n_total"]) and int(study["n_total"]) != int(row["n"]):
            printed = [str(row["n_printed"]), str(study["n_total_printed"])]
            yield _entry("patients of the trial", [row, study], "n", printed)


def printed_arms(text: str) -> dict[str, int]:
    """Patients per arm in the column `arms`: `VP:101|NSM:101`; arms named twice are left out."""
    pairs = [re.fullmatch(r"([^:|]+):(\d+)", part) for part in (text or "").split("|")]
    named = [(pair.group(1), int(pair.group(2))) for pair in pairs if pair]
    names = [name for name, _ in named]
    return {name: n for name, n in named if names.count(name) == 1}
