"""Every row of the literature tables that could answer a question, with what speaks against it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.loaders.literature import Literature, orient
from vertebro_outcomes.loaders.literature.arms import printed_arms
from vertebro_outcomes.loaders.literature.trials import PARTS
from vertebro_outcomes.outcomes import FAMILIES

COUNT_MEASURES: Final = ("OR", "RR", "RD", "PETO")
MEAN_MEASURES: Final = ("MD", "SMD", "ROM")
REVIEWS: Final = ("systematic_review", "network_meta_analysis", "ipd_meta_analysis")
COLUMNS: Final = (
    "study_id", "trial_id", "design", "outcome", "timepoint_days", "timepoint_label", "treatment",
    "comparator", "source", "kind", "unit", "events_t", "n_t", "events_c", "n_c", "mean_t", "sd_t",
    "mean_c", "sd_c", "effect", "ci_low", "ci_high", "ci_level", "se", "n_source", "sd_source",
    "printed", "verification", "direction_basis", "source_lines", "problem",
)  # fmt: skip

_SUBGROUP: Final = re.compile(r"subgroup|fractures? <=", re.IGNORECASE)
_AVERAGE: Final = re.compile(r"average over|sum over", re.IGNORECASE)
_FEWEST_UNITS: Final = 4  # limits closer than this many last digits do not tell the standard error


@dataclass(frozen=True)
class Ask:
    """What is asked of the tables; see `select_contrasts`."""

    family: str
    treatments: tuple[str, ...]
    comparators: tuple[str, ...]
    measure: str
    unit: Literal["patients", "levels"]
    scale: Literal["canonical", "printed"]
    missing_n: Literal["leave_out", "randomised"]

    @property
    def outcomes(self) -> tuple[str, ...]:
        return FAMILIES[self.family]


def two_arm_candidates(literature: Literature, ask: Ask) -> pd.DataFrame:
    """Pairs of arms and printed contrasts about the outcome and the treatments asked for."""
    rows: list[dict[str, Any]] = []
    if ask.measure in COUNT_MEASURES:
        rows += _pairs(literature, literature.arm_binary, ask)
    if ask.measure in MEAN_MEASURES:
        rows += _pairs(literature, literature.arm_continuous, ask)
    rows += _contrasts(literature, ask)
    return _frame(rows, literature)


def one_arm_candidates(literature: Literature, ask: Ask) -> pd.DataFrame:
    """Arms with counts about the outcome, for proportions."""
    rows = []
    table = literature.arm_binary
    for _, arm in table[table["outcome"].isin(ask.outcomes)].iterrows():
        if arm["arm"] in ask.treatments:
            problem = _count_problem(arm, ask)
            rows.append(
                _about(arm)
                | {
                    "treatment": arm["arm"],
                    "comparator": "",
                    "source": "arms",
                    "unit": arm["unit"],
                    "events_t": _float(arm["events"]),
                    "n_t": _float(arm["n"]),
                    "printed": f"{arm['events_printed'] or '?'}/{arm['n_printed'] or '?'}",
                    "source_lines": arm["source_line"],
                    "problem": problem,
                }
            )
    return _frame(rows, literature)


def _frame(rows: list[dict[str, Any]], literature: Literature) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    studies = literature.studies.set_index("study_id")
    general = [_general_problem(row, studies) for _, row in frame.iterrows()]
    frame["problem"] = [a or b for a, b in zip(general, frame["problem"], strict=True)]
    return frame


def _general_problem(row: pd.Series, studies: pd.DataFrame) -> str:
    study = row["study_id"]
    if study in PARTS:
        return f"holds the patients of {' and '.join(PARTS[study])} again"
    if row["design"] in REVIEWS:
        return "a figure of a review, not a study"
    words = f"{row['timepoint_label']} {studies.loc[study, 'label']}"
    if _SUBGROUP.search(words):
        return "a subgroup of the trial"
    if _AVERAGE.search(words):
        return "an average over the follow-up, not a time point"
    return ""


def _about(row: pd.Series) -> dict[str, Any]:
    names = ("study_id", "trial_id", "design", "outcome", "timepoint_days", "timepoint_label")
    return {name: row[name] for name in (*names, "verification")}


def _float(value: Any) -> float:
    return float("nan") if pd.isna(value) else float(value)


def _pairs(literature: Literature, table: pd.DataFrame, ask: Ask) -> Iterator[dict[str, Any]]:
    """Arms of one study, outcome, time and kind (or unit), treatment beside comparator."""
    side = "kind" if "kind" in table.columns else "unit"
    wanted = ask.treatments + ask.comparators
    rows = table[table["outcome"].isin(ask.outcomes) & table["arm"].isin(wanted)]
    if side == "kind":
        rows = rows[rows["kind"] != "baseline"]
    same = ["study_id", "outcome", "timepoint_days", side]
    for _, group in rows.groupby(same, sort=False, dropna=False):
        yield from _pairs_at_one_time(group, literature, ask, side=side)


def _pairs_at_one_time(
    group: pd.DataFrame, literature: Literature, ask: Ask, *, side: str
) -> Iterator[dict[str, Any]]:
    """Arms meet under one label; two arms alone meet also when their labels differ."""
    dated = group["timepoint_days"].notna().all()
    treated, control = (group["arm"].isin(arms) for arms in (ask.treatments, ask.comparators))
    if dated and treated.sum() == 1 and control.sum() == 1:
        labels = ["timepoint_days"]
    else:
        labels = ["timepoint_label"]
    for _, rows in group.groupby(labels, sort=False):
        t, c = (rows[rows["arm"].isin(arms)] for arms in (ask.treatments, ask.comparators))
        if len(t) and len(c):
            yield _pair(t.iloc[0], c.iloc[0], literature, ask)
            for _, row in pd.concat([t.iloc[1:], c.iloc[1:]]).iterrows():
                yield _half(row, side, "another arm or row of the same study and time is used")
        elif _compares(rows.iloc[0], literature, ask):
            for _, row in rows.iterrows():
                yield _half(row, side, f"only the arm {row['arm']} is printed")


def _compares(arm: pd.Series, literature: Literature, ask: Ask) -> bool:
    """Whether the study has the other arm as well, though its number is not printed."""
    studies = literature.studies.set_index("study_id")["arms"]
    texts = (studies.get(arm["study_id"], ""), studies.get(arm["trial_id"], ""))
    words = {part.partition(":")[0] for text in texts for part in text.split("|")}
    return bool(words & set(ask.treatments)) and bool(words & set(ask.comparators))


def _half(arm: pd.Series, side: str, problem: str) -> dict[str, Any]:
    return _about(arm) | {
        "treatment": arm["arm"],
        "comparator": "",
        "source": "arms",
        side: arm[side],
        "printed": _printed_arm(arm),
        "source_lines": arm["source_line"],
        "problem": problem,
    }


def _printed_arm(arm: pd.Series) -> str:
    if "events_printed" in arm.index:
        return f"{arm['events_printed'] or '?'}/{arm['n_printed'] or '?'}"
    interval = (
        f"{arm['ci_low_printed']} to {arm['ci_high_printed']}" if arm["ci_low_printed"] else "?"
    )
    spread = arm["sd_printed"] or arm["se_printed"] or interval
    sign = ", as improvement" if arm.get("improvement_units") else ""
    return f"{arm['mean_printed']} ({spread}), n {arm['n_printed'] or '?'}{sign}"


def _pair(t: pd.Series, c: pd.Series, literature: Literature, ask: Ask) -> dict[str, Any]:
    row = _about(t) | {
        "treatment": t["arm"],
        "comparator": c["arm"],
        "source": "arms",
        "printed": f"{_printed_arm(t)} vs {_printed_arm(c)}",
        "source_lines": f"{t['source_line']}, {c['source_line']}",
        "n_source": "printed",
        "problem": "",
    }
    if "corroborated" in (t["verification"], c["verification"]):
        row["verification"] = "corroborated"
    if "unit" in t.index:
        return row | _counts(t, c, ask)
    return row | _means(t, c, literature, ask)


def _count_problem(arm: pd.Series, ask: Ask) -> str:
    if arm["unit"] != ask.unit:
        return f"counts {arm['unit']}, not {ask.unit}"
    if pd.isna(arm["events"]):
        return "number with the event not printed"
    return "number observed not printed" if pd.isna(arm["n"]) else ""


def _counts(t: pd.Series, c: pd.Series, ask: Ask) -> dict[str, Any]:
    return {
        "unit": t["unit"],
        "events_t": _float(t["events"]),
        "n_t": _float(t["n"]),
        "events_c": _float(c["events"]),
        "n_c": _float(c["n"]),
        "problem": _count_problem(t, ask) or _count_problem(c, ask),
    }


def _means(t: pd.Series, c: pd.Series, literature: Literature, ask: Ask) -> dict[str, Any]:
    canonical = ask.scale == "canonical" and ask.measure != "SMD"
    suffix = "_canonical" if canonical else ""
    out: dict[str, Any] = {"kind": t["kind"], "sd_source": t["sd_source"]}
    for name, arm in (("t", t), ("c", c)):
        n = _float(arm["n"])
        if np.isnan(n) and ask.missing_n == "randomised":
            n = _randomised(arm, literature)
            out["n_source"] = "randomised"
        out |= {
            f"mean_{name}": _float(arm[f"mean{suffix}"]),
            f"sd_{name}": _float(arm[f"sd{suffix}"]),
            f"n_{name}": n,
        }
        if arm["sd_source"] != "printed_sd":
            out["sd_source"] = arm["sd_source"]
    problem = ""
    if canonical and t["scale_problem"]:
        problem = t["scale_problem"]
    elif np.isnan(out["n_t"]) or np.isnan(out["n_c"]):
        problem = "patients per arm not printed"
    elif np.isnan(out["sd_t"]) or np.isnan(out["sd_c"]):
        problem = "no SD, SE or interval printed"
    return out | {"problem": problem}


def _randomised(arm: pd.Series, literature: Literature) -> float:
    studies = literature.studies.set_index("study_id")["arms"]
    for study in (arm["study_id"], arm["trial_id"]):
        n = printed_arms(studies.get(study, "")).get(arm["arm_printed"])
        if n:
            return float(n)
    return float("nan")


def _contrasts(literature: Literature, ask: Ask) -> Iterator[dict[str, Any]]:
    table = literature.contrasts[literature.contrasts["outcome"].isin(ask.outcomes)]
    for treatment in ask.treatments:
        for comparator in ask.comparators:
            for _, row in orient(table, treatment, comparator).iterrows():
                yield _about(row) | _contrast(row, ask)


def _contrast(row: pd.Series, ask: Ask) -> dict[str, Any]:
    suffix = "_canonical" if ask.scale == "canonical" or ask.measure == "RD" else ""
    return {
        "treatment": row["treatment"],
        "comparator": row["comparator"],
        "source": "contrast",
        "effect": row[f"estimate{suffix}"],
        "ci_low": row[f"ci_low{suffix}"],
        "ci_high": row[f"ci_high{suffix}"],
        "ci_level": row["ci_level"],
        "n_t": _float(row["n_treatment"]),
        "n_c": _float(row["n_comparator"]),
        "printed": _printed_contrast(row),
        "direction_basis": row["direction_basis"],
        "source_lines": row["source_line"],
        "problem": _contrast_problem(row, ask),
    }


def _printed_contrast(row: pd.Series) -> str:
    """The printed text, with the order it was printed in where that is not treatment first."""
    if not row["measure"]:
        return f"p {row['p_value_printed']}"
    text = f"{row['measure']} {row['estimate_printed'] or '?'}"
    if row["ci_low_printed"]:
        text += f" ({row['ci_low_printed']} to {row['ci_high_printed']})"
    if row["direction"].startswith("improvement"):
        return f"{text}, as improvement"
    if row["swapped"] != (row["direction"] == "c_minus_t"):
        return f"{text}, {row['comparator']} against {row['treatment']}"
    return text


def _contrast_problem(row: pd.Series, ask: Ask) -> str:
    scale_only = row["not_poolable_because"] == row["scale_problem"]
    if row["not_poolable_because"] and not (scale_only and ask.scale == "printed"):
        return str(row["not_poolable_because"])
    if row["measure"] != ask.measure:
        return f"prints {row['measure']}, not {ask.measure}"
    decimals = len(row["ci_low_printed"].partition(".")[2])
    units = (float(row["ci_high_printed"]) - float(row["ci_low_printed"])) * 10**decimals
    if units < _FEWEST_UNITS - 1e-9:
        return "interval too narrow for its printed digits: the standard error cannot be recovered"
    return ""
