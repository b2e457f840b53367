"""Registry: complications between sites, over time, and against what was claimed and published."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import HIDDEN, hide_shares
from vertebro_outcomes.report.blocks import Block, Paper, TableBlock, prose
from vertebro_outcomes.report.registry import picture, refusals, registry_section, table
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.complication_definitions import (
    ComplicationDefinitions,
    definition_words,
)
from vertebro_outcomes.results.complication_ranking import ranking_words
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis
from vertebro_outcomes.results.site_rates import kind_words

TITLE: Final = "Registry: complications by site, over time and by definition"
TRIED: Final = ("rates between sites", "order of events", "rates by definition", "most common")


_WHOSE: Final = {
    "set": "as set for this report",
    "published": "the pooled published one of vertebroplasty (any complication, binomial-normal model)",
    "registry": "that of the whole registry, which cannot tell whether all of it is high",
}


def build(registry: RegistryAnalysis, published: Mapping[str, PooledEffect]) -> tuple[Block, ...]:
    """Sites, time, definitions, ranking."""
    return (
        *_sites(registry),
        *_chart(registry),
        *_definitions(registry, published),
        *_ranking(registry),
        *refusals(registry, TRIED),
    )


def _sites(registry: RegistryAnalysis) -> tuple[Block, ...]:
    found = registry.sites
    if found is None:
        return ()
    hidden = found.hidden(registry.largest_hidden)
    rows = found.sites
    names = ("n_events", "n", "rate", "shrunken", "ci_low", "ci_high", "place")
    data = rows[[found.by, *names]].copy()
    for name in names:
        data[name] = data[name].astype(object).mask(hidden, HIDDEN)
    shown = pd.DataFrame(
        {
            "site": data[found.by],
            "n": [_count(v) for v in data["n"]],
            "rate": [_percent(v) for v in data["rate"]],
            "shrunken": [
                v if isinstance(v, str) else f"{numbers.percent(v)} ({numbers.percent(low)} to "
                f"{numbers.percent(high)})"
                for v, low, high in zip(
                    data["shrunken"], data["ci_low"], data["ci_high"], strict=True
                )
            ],
            "place": data["place"],
        }
    )  # fmt: skip
    return (
        prose(
            "Any complication within {days} days, procedure by procedure. Over-dispersion phi is "
            "{phi} ({p}); rates differ between sites by a standard deviation of {tau} beyond chance.",
            days=numbers.count(found.within_days or 0), phi=numbers.number(found.phi),
            p=numbers.p_value(found.p_value), tau=numbers.percent(found.tau),
        ),
        picture(
            found.plot(largest_hidden=registry.largest_hidden), registry, name="sites",
            alt="Funnel plot: rate of complications at each site against its size.",
            caption="Sites against the exact limits of chance around the rate of all.",
        ),
        table(
            shown, registry, name="sites", caption="Complications by site", data=data,
            labels={
                "site": "Site", "n": "Procedures", "rate": "Rate",
                "shrunken": "Drawn to the mean (95% interval)", "place": "Against the limits",
            },
            numeric=("n", "rate", "shrunken"),
        ),
    )  # fmt: skip


def _chart(registry: RegistryAnalysis) -> tuple[Block, ...]:
    found = registry.chart
    if found is None:
        return ()
    blocks = found.blocks(registry.largest_hidden) if registry.largest_hidden else found.chart
    if len(blocks) == 0:
        return (prose("Too few complications to draw their course without showing single ones."),)
    signals = prose("The chart signalled.") if found.signals else prose("The chart gave no signal.")
    return (
        prose(
            "In the order of the procedures, against a rate of {rate}, {whose}: "
            "a CUSUM for {odds} times the odds gives a false alarm every {length} "
            "procedures on average ({chance} over this many), and an alarm after {late} where the "
            "odds have changed so.",
            rate=numbers.percent(found.rate), whose=_WHOSE[registry.chart_rate],
            odds=numbers.as_given(found.odds_ratio),
            length=numbers.count(round(found.run_length)), chance=numbers.percent(found.false_alarm),
            late=numbers.count(round(found.run_length_shifted)),
        ),
        signals,
        picture(
            found.plot(largest_hidden=registry.largest_hidden), registry, name="cusum",
            alt="CUSUM of complications with its limit, expected minus observed events below.",
            caption="CUSUM and expected minus observed complications in the order of the procedures; "
            "places between which only few patients had an event are not shown.",
        ),
    )  # fmt: skip


def _definitions(
    registry: RegistryAnalysis, published: Mapping[str, PooledEffect]
) -> tuple[Block, ...]:
    found = registry.definitions
    if found is None:
        return ()
    rates = found.rates.loc[(found.rates["unit"] == "patients")]
    own = replace(found, rates=rates)
    whole = own.beside(published)
    rows = whole.definitions()
    open_to_all = (rows["source"] != "registry").to_numpy(bool)
    hidden = ~open_to_all & _told_by_difference(rows, registry.largest_hidden)
    safe = _without(whole, hidden)
    shown = pd.DataFrame({"definition": [definition_words(row) for _, row in rows.iterrows()]})
    shown["rate"] = [
        HIDDEN if small else _interval(row) for small, (_, row) in zip(hidden, rows.iterrows(), strict=True)
    ]  # fmt: skip
    labels = {"definition": "Definition", "rate": "Rate (95% interval)"}
    for place, band in enumerate(whole.rates["band"].unique()):
        inside = whole.rates.loc[whole.rates["band"] == band, "p_inside"].to_numpy(float)
        name = f"inside_{place}"
        shown[name] = [
            HIDDEN if small else numbers.percent(p, 0)
            for small, p in zip(hidden, inside, strict=True)
        ]
        labels[name] = f"Probability of {band}"
    data = whole.rates.copy()
    small = np.repeat(hidden, whole.rates["band"].nunique())
    for name in ("n_events", "n", "rate", "ci_low", "ci_high", "p_below", "p_inside", "p_above"):
        data[name] = data[name].astype(object).mask(small, HIDDEN)
    if registry.synthetic:  # the literature beside it is not
        data["data"] = np.where(data["source"] == "registry", "synthetic", "published")
    return (
        prose(
            "How often complications happen after {treatment} depends on what counts: which events, "
            "how they were looked for, and until when. Rates of the registry and of the literature "
            "(binomial-normal model) stand beside the claimed bands.",
            treatment=found.treatment,
        ),
        picture(
            safe.plot(), registry, name="definitions",
            alt="Rate of complications under each definition, with the claimed bands shaded.",
            caption="Rates by definition, of the registry and of the literature, over claimed bands.",
        ),
        _without_hidden(
            table(
                shown, registry, name="definitions", caption="Complications by definition",
                labels=labels, numeric=tuple(shown.columns[1:]), data=data,
            ),
            hidden,
        ),
    )  # fmt: skip


def _without_hidden(whole: TableBlock, hidden: "np.ndarray") -> Block:
    """On paper the lines without a number are counted, not printed."""
    if not hidden.any():
        return whole
    short = replace(whole, shown=whole.shown.loc[~hidden].reset_index(drop=True))
    said = prose(
        "Hidden for {n} further definitions; they stand in <code>{file}</code> and in the HTML "
        "report.",
        n=numbers.count(int(hidden.sum())), file=f"tables/{whole.name}.csv",
    )  # fmt: skip
    return Paper((whole,), (short, said))


def _told_by_difference(rows: pd.DataFrame, largest_hidden: int) -> "np.ndarray":
    """Small shares, and counts that differ by a small one from a count shown before them."""
    hidden = np.zeros(len(rows), dtype=bool)
    shown: list[int] = []
    for place, (x, n) in enumerate(zip(rows["n_events"], rows["n"], strict=True)):
        if pd.isna(x):
            continue
        near = any(0 < abs(int(x) - other) <= largest_hidden for other in shown)
        hidden[place] = near or bool(hide_shares([x], [n], largest_hidden=largest_hidden)[0])
        if not hidden[place] and x:
            shown.append(int(x))
    return hidden


def _without(found: ComplicationDefinitions, hidden: Sequence[bool]) -> ComplicationDefinitions:
    kept = ~np.repeat(np.asarray(hidden), found.rates["band"].nunique())
    return replace(found, rates=found.rates.loc[kept].reset_index(drop=True))


def _ranking(registry: RegistryAnalysis) -> tuple[Block, ...]:
    found = registry.ranking
    if found is None:
        return ()
    definition = ["grouping", "detection", "within_days"]
    top = found.ranks.groupby(definition, dropna=False)["n_events"].transform("max")
    kept = ~hide_shares(top, found.ranks["n"], largest_hidden=registry.largest_hidden)
    if not kept.any():
        return (prose("Too few complications to say which is the most common."),)
    safe = replace(found, ranks=found.ranks.loc[kept].reset_index(drop=True))
    claims = safe.claims()
    shown = pd.DataFrame(
        {
            "definition": [ranking_words(row) for _, row in claims.iterrows()],
            "most_common": [kind_words(str(kind)) for kind in claims["most_common"]],
            **{
                name: [numbers.percent(p, 0) for p in claims[name]]
                for name in ("leakage_first", "adjacent_fracture_first")
            },
        }
    )
    return (
        prose(
            "Whether leakage or fracture of the next vertebra is the most common complication after "
            "{treatment} turns with the definition.", treatment=found.treatment,
        ),
        picture(
            safe.plot(), registry, name="most_common",
            alt="Probability that leakage, adjacent fracture or another is the most common.",
            caption="Which complication is the most common, by definition.",
        ),
        table(
            shown, registry, name="most_common", caption="The most common complication",
            labels={
                "definition": "Definition", "most_common": "Most common",
                "leakage_first": "Leakage is", "adjacent_fracture_first": "Adjacent fracture is",
            },
            numeric=("leakage_first", "adjacent_fracture_first"), data=claims,
        ),
    )  # fmt: skip


def _count(value: Any) -> str:
    return value if isinstance(value, str) else numbers.count(value)


def _percent(value: Any) -> str:
    return value if isinstance(value, str) else numbers.percent(value)


def _interval(row: pd.Series) -> str:
    low, high = numbers.percent(row["ci_low"]), numbers.percent(row["ci_high"])
    return f"{numbers.percent(row['rate'])} ({low} to {high})"


def whole(study: Study) -> tuple[Block, ...]:
    """The section for every registry, with the published rates of this study."""
    published = study.published_rates
    return registry_section(77, TITLE, lambda registry: build(registry, published)).build(study)


SECTION = Section(order=77, title=TITLE, build=whole)
