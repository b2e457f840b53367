"""Registry: pain after treatment, compared by design."""

import re
from dataclasses import replace
from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import HIDDEN, hide_in_flow, hide_parts, is_small
from vertebro_outcomes.report.blocks import Block, Fold, Heading, anchor, bound, prose
from vertebro_outcomes.report.flow_picture import flow_picture
from vertebro_outcomes.report.registry import picture, refusals, registry_section, table
from vertebro_outcomes.report.wording import arm
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis
from vertebro_outcomes.tables.column_words import in_words, term_words
from vertebro_outcomes.tables.event_types import INSTRUMENTS

_FIGURES: Final = ("mean_t", "mean_c", "sd_t", "sd_c", "smd_before", "smd_after")
_DIGITS: Final = 3
_CODE: Final = re.compile(r" vo\.Design\(.*$")


def build(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """Each pair: target trial, who stays, balance, estimate, course over time."""
    blocks: list[Block] = []
    for pair, found in registry.comparisons.items():
        words = f"{arm(pair[0])} against {arm(pair[1])}"
        blocks += [
            Heading(words.capitalize(), f"registry-{anchor(registry.name)}-{anchor(words)}"),
            _finding(registry, found),
            *_further(registry, pair),
            *_course(registry, pair),
            _protocol(registry, found),
            *_flow(registry, found),
            _table_one(registry, found),
            picture(
                _shown(registry, found).plot(kind="balance"), registry, name=f"balance_{_short(pair)}",
                alt=f"Love plot, {words}: standardised differences before and after weighting.",
                caption=f"Balance, {words}. Dashed: the largest difference regarded as balanced.",
            ),
        ]  # fmt: skip
    return (*blocks, *refusals(registry, ("weighted", "all visits")))


def _short(pair: tuple[str, str]) -> str:
    return f"{pair[0]}_{pair[1]}".lower()


def _finding(registry: RegistryAnalysis, found: Comparison) -> Block:
    if found.withheld:
        return prose(
            "The estimate is withheld because diagnostics failed: {why}.", why=found.withheld
        )
    if is_small([found.n_t, found.n_c], largest_hidden=registry.largest_hidden).any():
        return prose("An arm has too few patients for its result to be shown.")
    size = numbers.estimate_with_interval(
        found.estimate, (found.ci_low, found.ci_high), measure=found.measure, unit=found.unit
    )
    return prose(
        "{label} at day {day}: {size} (interval at {level}), {method}; {patients}.{better} {margin} {notes}",
        label=_capital(found.label), day=numbers.count(found.day), size=size,
        level=numbers.percent(found.level, 0), method=found.method.replace("_", " "),
        patients=_patients(registry, found), better=_better(found),
        margin=_against_margin(registry, found), notes=" ".join(map(_for_readers, found.notes)),
    )  # fmt: skip


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _better(found: Comparison) -> str:
    """Which sign speaks for the treatment named first."""
    known = INSTRUMENTS.get(found.outcome)
    if known is None or not known.better or found.measure != "MD":
        return ""
    sign = "negative" if known.better == "lower" else "positive"
    return f" A {sign} difference favours {arm(found.treatment)}."


def _patients(registry: RegistryAnalysis, found: Comparison) -> Markup:
    """Those compared; where the flow below hides how many left last, those before them."""
    flow = _safe_flow(registry, found)
    told = flow.loc[~flow[["n_t", "n_c"]].eq(HIDDEN).any(axis=1)]
    if len(told) == len(flow):
        return bound(
            "{n_t} against {n_c} patients with a score",
            n_t=numbers.count(found.n_t),
            n_c=numbers.count(found.n_c),
        )
    if told.empty:
        return bound("number of patients hidden")
    return bound(
        "{n_t} against {n_c} patients, but for a few who could not be compared",
        n_t=numbers.count(told["n_t"].iloc[-1]),
        n_c=numbers.count(told["n_c"].iloc[-1]),
    )


def _for_readers(note: str) -> str:
    """A note without the line of code that it ends in: the trial it names stands below."""
    return in_words(_CODE.sub(" The estimate below starts at presentation instead.", note))


def _against_margin(registry: RegistryAnalysis, found: Comparison) -> Markup:
    """How the estimate stands to the smallest worthwhile difference; empty where none is known."""
    known = INSTRUMENTS[found.outcome].worthwhile if found.outcome in INSTRUMENTS else None
    least = registry.margins.get(found.outcome, known)
    if least is None or found.measure != "MD":
        return Markup("")
    words = (
        "The interval excludes the smallest worthwhile difference of {least}."
        if max(abs(found.ci_low), abs(found.ci_high)) < least
        else "The interval includes the smallest worthwhile difference of {least}."
        if min(abs(found.ci_low), abs(found.ci_high)) < least or found.ci_low * found.ci_high < 0
        else "The interval lies beyond the smallest worthwhile difference of {least}."
    )
    return bound(words, least=numbers.amount(least, found.unit))


def _further(registry: RegistryAnalysis, pair: tuple[str, str]) -> tuple[Block, ...]:
    """Other scores on the same day, by the same method."""
    found = [r for (t, c, _), r in registry.further.items() if (t, c) == pair]
    return tuple(_finding(registry, one) for one in found)


def _course(registry: RegistryAnalysis, pair: tuple[str, str]) -> tuple[Block, ...]:
    model = registry.trajectories.get(pair)
    if model is None or model.by_visit is None:
        return ()
    visits = model.by_visit
    few = is_small(visits[["n_t", "n_c"]], largest_hidden=registry.largest_hidden)
    if few.any():
        return (prose("The course over time is not shown: some visits have too few patients."),)
    words = f"{arm(pair[0])} against {arm(pair[1])}"
    visits = _without_few_missing(registry, pair, visits)
    figure = picture(
        replace(model, by_visit=visits).plot(kind="trajectory"), registry, name=f"course_{_short(pair)}",
        alt=f"{_capital(model.label)} over time, {words}.",
        caption=f"{_capital(model.label)} over time: means of the model for all visits with 95% "
        f"intervals, {words}.",
    )  # fmt: skip
    told = {n: [HIDDEN if pd.isna(v) else int(v) for v in visits[n]] for n in ("n_t", "n_c")}
    shown = pd.DataFrame(
        {
            "day": [numbers.count(day) for day in visits["day"]],
            **{
                name: [n if isinstance(n, str) else numbers.count(n) for n in told[name]]
                for name in told
            },
            "difference": [
                numbers.estimate_with_interval(e, (low, high), measure="MD")
                for e, low, high in zip(visits["estimate"], visits["ci_low"], visits["ci_high"], strict=True)
            ],
        }
    )  # fmt: skip
    unit = f", {model.unit}" if model.unit else ""
    labels = {
        "day": "Day", "n_t": f"{pair[0]}, patients", "n_c": f"{pair[1]}, patients",
        "difference": f"Difference{unit} (95% CI)",
    }  # fmt: skip
    return figure, table(
        shown, registry, name=f"course_{_short(pair)}",
        caption=f"Difference by visit, model for all visits (MMRM), {words}",
        labels=labels, numeric=tuple(labels),
        data=visits.assign(**told),
    )  # fmt: skip


def _without_few_missing(
    registry: RegistryAnalysis, pair: tuple[str, str], visits: pd.DataFrame
) -> pd.DataFrame:
    """Numbers are NaN at visits where all but a few of an arm have a score: the flow hides these few.

    Those of the other arm too: the arms together may stand in the table of another pair.
    """
    found = registry.comparisons.get(pair)
    if found is None:
        return visits
    names = ["n_t", "n_c"]
    missing = found.attrition[names].iloc[0] - visits[names]
    few = is_small(missing, largest_hidden=registry.largest_hidden).any(axis=1)
    return visits.assign(**{name: visits[name].astype(float).mask(few) for name in names})


def _protocol(registry: RegistryAnalysis, found: Comparison) -> Block:
    labels = {"component": "Component", "protocol": "Target trial", "emulation": "As done here"}
    arms = (found.treatment, found.comparator)
    words = " against ".join(arms)
    inside = table(
        found.protocol, registry, name=f"protocol_{_short(arms)}",
        caption=f"Target trial, {words}", labels=labels,
    )  # fmt: skip
    return Fold(f"The trial this comparison tries to be, {words}", (inside,))


def _flow(registry: RegistryAnalysis, found: Comparison) -> tuple[Block, ...]:
    shown = _safe_flow(registry, found)
    shown["step"] = shown["step"].map(in_words)
    arms = (found.treatment, found.comparator)
    words = " against ".join(arms)
    labels = {
        "step": "Step", "n_t": f"{arms[0]} remaining", "n_c": f"{arms[1]} remaining"
    }  # fmt: skip
    figure = flow_picture(
        shown, {"n_t": arms[0], "n_c": arms[1]}, registry, name=f"flow_{_short(arms)}",
        first=str(shown["step"].iloc[0]), last="compared",
        caption=f"Flow chart, {words}: patients left after each step, on the right who left and why.",
    )  # fmt: skip
    return figure, table(
        shown, registry, name=f"flow_{_short(arms)}", caption=f"Who is compared, {words}",
        labels=labels, numeric=("n_t", "n_c"),
    )  # fmt: skip


def _safe_flow(registry: RegistryAnalysis, found: Comparison) -> pd.DataFrame:
    return hide_in_flow(
        found.attrition[["step", "n_t", "n_c"]], columns=["n_t", "n_c"],
        largest_hidden=registry.largest_hidden,
    )  # fmt: skip


def _shown(registry: RegistryAnalysis, found: Comparison) -> Comparison:
    """Without the covariates that the table hides."""
    return replace(found, balance=found.balance[~_hidden_lines(registry, found)])


def _hidden_lines(registry: RegistryAnalysis, found: Comparison) -> "pd.Series[bool]":
    """Shares of categories that stand for a few patients, or from which such follow."""
    lines = found.balance
    hidden = dict.fromkeys(lines.index, False)
    source = lines["covariate"].str.partition(": ")[0]
    for _, rows in lines.groupby(source, sort=False):
        if rows["variance_ratio_before"].notna().any():
            continue  # a measurement, not a share
        for mean, n in (("mean_t", found.n_t), ("mean_c", found.n_c)):
            counts = [round(value * n) for value in rows[mean]]
            shades = hide_parts(
                [*counts, max(n - sum(counts), 0)], largest_hidden=registry.largest_hidden
            )
            for line, shade in zip(rows.index, shades, strict=False):
                hidden[line] |= bool(shade)
    return pd.Series(hidden, index=lines.index, dtype=bool)


def _table_one(registry: RegistryAnalysis, found: Comparison) -> Block:
    """Baseline by arm."""
    masked = _hidden_lines(registry, found)
    data = found.balance[["covariate", *_FIGURES]].copy()
    for column in _FIGURES:  # a share in full tells how many patients it is of
        data[column] = data[column].round(_DIGITS).astype(object).mask(masked, HIDDEN)
    shares = found.balance["variance_ratio_before"].isna()
    shown = pd.DataFrame({"covariate": data["covariate"].map(term_words)})
    for mean, sd in (("mean_t", "sd_t"), ("mean_c", "sd_c")):
        shown[mean] = [
            _cell(centre, share=True) if share else f"{_cell(centre)} ({_cell(spread)})"
            for centre, spread, share in zip(data[mean], data[sd], shares, strict=True)
        ]
    for column in ("smd_before", "smd_after"):
        shown[column] = data[column].map(_cell)
    arms = (found.treatment, found.comparator)
    words = " against ".join(arms)
    labels = {
        "covariate": "Before treatment", "mean_t": found.treatment, "mean_c": found.comparator,
        "smd_before": "Standardised difference", "smd_after": "After weighting",
    }  # fmt: skip
    return table(
        shown, registry, name=f"baseline_{_short(arms)}",
        caption=f"Patients before treatment, means (SD) and shares, {words}", labels=labels,
        numeric=tuple(labels)[1:], data=data,
    )  # fmt: skip


def _cell(value: object, *, share: bool = False) -> str:
    if isinstance(value, str) or pd.isna(value):
        return value if isinstance(value, str) else ""
    assert isinstance(value, float)
    return numbers.percent(value) if share else numbers.number(value, 2)


SECTION = registry_section(75, "Registry: pain", build)
