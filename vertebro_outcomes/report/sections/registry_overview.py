"""What a registry holds: coverage, follow-up, completeness, and what became of every row."""

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import (
    HIDDEN,
    hide_in_flow,
    hide_parts,
    hide_shares,
    is_small,
)
from vertebro_outcomes.report.blocks import Block, Fold, bound, joined, prose
from vertebro_outcomes.report.flow_picture import flow_picture, hide_arms
from vertebro_outcomes.report.registry import (
    registry_section,
    safe_count,
    table,
    unread,
    without_small_shares,
)
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis
from vertebro_outcomes.tables.column_words import column_words

_WORST = 3  # kinds of refused cells named first
DEAD_WITHIN_A_YEAR = "patients dead within one year"  # a line of the coverage
_ARMS = ("n_patients", "n_VP", "n_KP", "n_NSM")


def build(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """Coverage and follow-up first: registries are judged by them."""
    return (
        _coverage(registry),
        *_refused(registry),
        *_flow(registry),
        Fold("Completeness of every column", (_quality(registry),)),
        Fold("What became of every row of the files", (_accounting(registry), _rejected(registry))),
    )


def _coverage(registry: RegistryAnalysis) -> Block:
    frame, most = registry.coverage.copy(), registry.largest_hidden
    everybody = _telling_total(registry)
    rows = []
    for line in frame.to_dict("records"):
        n, of = line["n"], line["of"]
        hidden = not pd.isna(of) and bool(hide_shares([n], [of], largest_hidden=most)[0])
        is_site = line["measure"] == "sites reporting"  # no patients
        shown = f"{int(n)}" if is_site else safe_count(n, largest_hidden=most)
        tells = everybody is not None and of == everybody
        rows.append(
            {
                "measure": line["measure"],
                "n": HIDDEN if (hidden or n == everybody) and not is_site else shown,
                "of": HIDDEN if tells else safe_count(of, largest_hidden=most),
                "rate": ""
                if pd.isna(of) or hidden or tells
                else numbers.percent(line["rate_pct"] / 100),
            }
        )  # fmt: skip
    shown = pd.DataFrame(rows)
    labels = {"measure": "Measure", "n": "Number", "of": "Of", "rate": "Rate"}
    return table(
        shown, registry, name="coverage", caption="Coverage and follow-up", labels=labels,
        numeric=("n", "of", "rate"),
    )  # fmt: skip


def _refused(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """Where many cells were refused everything below rests on the rest: said before it."""
    most = registry.rejected.sort_values("count", ascending=False, kind="stable").head(_WORST)
    said = [
        bound(
            "{n} in column {column} of {file} ({rule})", column=line["column"], rule=line["rule"],
            n=safe_count(line["count"], largest_hidden=registry.largest_hidden),
            file=line["source_file"],
        )
        for line in most.to_dict("records")
    ]  # fmt: skip
    if not said:
        return ()
    return (
        prose(
            "<strong>Refused cells</strong>, which what follows does without: {said}. All of them, by "
            "rule, stand under the rows of the files.", said=joined(said, "; "),
        ),
    )  # fmt: skip


def _telling_total(registry: RegistryAnalysis) -> int | None:
    """The number of all patients where, less the arms, it tells how few had another treatment."""
    chart = registry.attrition
    arms = [name for name in _ARMS[1:] if name in chart]
    if "n_patients" not in chart or chart.empty:
        return None
    rest = chart["n_patients"] - chart[arms].sum(axis=1)
    few = is_small(rest, largest_hidden=registry.largest_hidden).any()
    return int(chart["n_patients"].iloc[0]) if few else None


def _with_others(chart: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    """With a column for patients whose treatment is another or not known, where there are any."""
    rest = chart["n_patients"] - chart[arms].sum(axis=1)
    return chart.assign(n_other=rest) if (rest > 0).any() else chart


def _flow(registry: RegistryAnalysis) -> tuple[Block, ...]:
    columns = [name for name in _ARMS if name in registry.attrition]
    chart = registry.attrition[["step", *columns]]
    if "n_patients" in columns:
        chart = _with_others(chart, [name for name in columns if name != "n_patients"])
        columns = [name for name in chart if name != "step"]
    shown = hide_in_flow(
        chart,
        columns=columns,
        largest_hidden=registry.largest_hidden,
    )
    arms = [name for name in columns if name != "n_patients"]
    if _telling_total(registry) is not None:  # the arms stand in other tables too
        shown[["n_patients", "n_other"]] = HIDDEN
    elif "n_patients" in columns:
        hide_arms(shown, arms, total="n_patients", largest_hidden=registry.largest_hidden)
    labels = {
        "step": "Step",
        "n_patients": "Patients",
        "n_VP": "VP",
        "n_KP": "KP",
        "n_NSM": "NSM",
        "n_other": "other",
    }
    figure = flow_picture(
        shown, {name: labels[name] for name in arms}, registry, name="flow",
        first=str(shown["step"].iloc[0]), total=_total(shown),
        caption="Flow chart of the cohort: patients by treatment, on the right who left and why.",
    )  # fmt: skip
    return figure, table(
        shown, registry, name="flow", caption="Who is in the cohort", labels=labels, numeric=columns
    )


def _total(shown: pd.DataFrame) -> str:
    """All patients at the start, in words."""
    value = shown["n_patients"].iloc[0] if "n_patients" in shown else ""
    return value if isinstance(value, str) else f"{numbers.count(int(value))} patients"


def _quality(registry: RegistryAnalysis) -> Block:
    frame = registry.quality[["table", "column", "n", "n_present", "complete_pct"]]
    hidden = without_small_shares(frame, count="n_present", total="n", with_it=("complete_pct",),
                                   largest_hidden=registry.largest_hidden)  # fmt: skip
    shown = hidden[["table", "column", "complete_pct"]].copy()
    shown.loc[_tells_late_deaths(registry), "complete_pct"] = HIDDEN
    shown["column"] = [
        column_words(*names) for names in zip(shown["table"], shown["column"], strict=True)
    ]
    shown["complete_pct"] = [
        value if isinstance(value, str) else "" if pd.isna(value) else numbers.percent(value / 100)
        for value in shown["complete_pct"]
    ]
    labels = {"table": "Table", "column": "What it holds", "complete_pct": "Complete"}
    return table(
        shown, registry, name="completeness", caption="Completeness", labels=labels,
        numeric=("complete_pct",),
    )  # fmt: skip


def _tells_late_deaths(registry: RegistryAnalysis) -> "pd.Series[bool]":
    """The days of death, where those known less the deaths within one year are a small number."""
    counts = registry.quality
    early = registry.coverage.set_index("measure")["n"].get(DEAD_WITHIN_A_YEAR, np.nan)
    late = is_small(counts["n_present"] - early, largest_hidden=registry.largest_hidden)
    return (counts["table"] == "patients") & (counts["column"] == "death_day") & late


def _accounting(registry: RegistryAnalysis) -> Block:
    frame, most = registry.accounting, registry.largest_hidden
    parts = ["rows_used", "rows_rejected", "rows_ignored"]
    shown = frame[["source_file", "rows_in", *parts]].astype(object)
    everybody = _telling_total(registry)
    for line, row in frame.iterrows():
        hidden = pd.Series(hide_parts(row[parts], largest_hidden=most), index=parts)
        hidden["rows_in"] = bool(is_small([row["rows_in"]], largest_hidden=most)[0])
        if everybody is not None:  # a file with a row for each patient
            hidden |= (row[hidden.index].astype(float) - everybody).abs() <= most
        for name, small in hidden.items():
            shown.loc[line, name] = HIDDEN if small else numbers.count(int(row[name]))
    labels = {
        "source_file": "File", "rows_in": "Rows in", "rows_used": "Used",
        "rows_rejected": "Rejected", "rows_ignored": "Ignored",
    }  # fmt: skip
    return table(
        shown, registry, name="accounting", caption="Rows in are used, rejected or ignored",
        labels=labels, numeric=tuple(labels)[1:],
    )  # fmt: skip


def _rejected(registry: RegistryAnalysis) -> Block:
    if registry.rejected.empty:
        return prose("No row or cell was refused.")
    shown = registry.rejected.assign(
        count=[
            safe_count(n, largest_hidden=registry.largest_hidden)
            for n in registry.rejected["count"]
        ]
    )
    labels = {"source_file": "File", "column": "Column", "rule": "Rule", "count": "Cells"}
    return table(
        shown, registry, name="rejected", caption="Refused cells by rule", labels=labels,
        numeric=("count",),
    )  # fmt: skip


_SECTION = registry_section(74, "The registry", build)


def _whole(study: Study) -> tuple[Block, ...]:
    return (*unread(study), *_SECTION.build(study))


SECTION = Section(order=74, title="The registry", build=_whole)
