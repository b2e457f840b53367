"""Registry: complications, new fractures, with death competing."""

from typing import Any, Final

import pandas as pd

from vertebro_outcomes.comparisons.event_counts import ANY
from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import HIDDEN, is_small
from vertebro_outcomes.display.style import HOUSE, SERIES
from vertebro_outcomes.report.blocks import Block, prose
from vertebro_outcomes.report.registry import (
    picture,
    refusals,
    registry_section,
    table,
    without_small_shares,
)
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis
from vertebro_outcomes.results.site_rates import kind_words

_DAYS = (30, 90, 180, 365, 730)
_STEPS: Final = {"events": ["estimate", "se", "ci_low", "ci_high"], "n_at_risk": ["n_at_risk"]}


def build(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """Rates first, then fractures over time."""
    return (
        *_complications(registry),
        *_incidence(registry),
        *_fractures(registry),
        *refusals(registry, ("complications", "fractures")),
    )


def _complications(registry: RegistryAnalysis) -> tuple[Block, ...]:
    found = registry.complications
    if found is None:
        return ()
    frame = found.to_frame()
    names = ("rate", "ci_low", "ci_high", "upper_rule_of_three")
    safe = without_small_shares(
        frame, count="n_events", total="n", with_it=names, largest_hidden=registry.largest_hidden
    )
    safe.loc[_tells_others(frame, found.by, registry.largest_hidden), ["n_events", *names]] = HIDDEN
    shown = pd.DataFrame(
        {
            "type": [kind_words(str(kind)) for kind in safe["type"]],
            "treatment": safe[found.by],
            "n_events": [v if isinstance(v, str) else numbers.count(v) for v in safe["n_events"]],
            "n": [v if isinstance(v, str) else numbers.count(v) for v in safe["n"]],
            "rate": [
                _share(rate, low, high)
                for rate, low, high in zip(safe["rate"], safe["ci_low"], safe["ci_high"], strict=True)
            ],
        }
    )  # fmt: skip
    labels = {
        "type": "Complication", "treatment": "Treatment", "n_events": "Patients", "n": "Of",
        "rate": "Rate (95% CI)",
    }  # fmt: skip
    return (
        prose("A patient with several complications of a kind counts once."),
        table(
            shown, registry, name="complications", caption="Complications by treatment",
            labels=labels, numeric=("n_events", "n", "rate"), data=safe,
        ),
    )  # fmt: skip


def _tells_others(frame: pd.DataFrame, by: str, most: int) -> "pd.Series[bool]":
    """Kinds that all but a few of the patients with any complication had: these few had another."""
    whole = frame.loc[frame["type"] == ANY].set_index(by)["n_events"]
    return pd.Series(is_small(frame[by].map(whole) - frame["n_events"], largest_hidden=most))


def _incidence(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """At agreed days only: steps of a curve would show single patients."""
    found = registry.incidence
    if found is None:
        return ()
    last = max(curve.time[-1] for curve in found.curves.values())
    rows = found.at([day for day in _DAYS if day <= last])
    sizes = found.arms.set_index(found.by)["n"]
    rows["n"] = rows[found.by].map(sizes).astype(int)
    rows["events"] = (rows["estimate"] * rows["n"]).round().fillna(0).astype(int)
    safe = without_small_shares(
        rows,
        count="events",
        total="n_at_risk",
        with_it=("estimate", "se", "ci_low", "ci_high"),
        largest_hidden=registry.largest_hidden,
    )
    safe = _without_small_steps(rows, safe, by=found.by, most=registry.largest_hidden)
    shown = pd.DataFrame(
        {
            "treatment": safe[found.by],
            "day": [numbers.count(day) for day in rows["day"]],
            "estimate": [
                _share(value, low, high)
                for value, low, high in zip(safe["estimate"], safe["ci_low"], safe["ci_high"], strict=True)
            ],
            "n_at_risk": [v if isinstance(v, str) else numbers.count(v) for v in safe["n_at_risk"]],
        }
    )  # fmt: skip
    labels = {
        "treatment": "Treatment", "day": "Day", "estimate": "Cumulative incidence (95% CI)",
        "n_at_risk": "At risk",
    }  # fmt: skip
    data = safe.drop(columns=["n", "events"])
    return (
        table(
            shown, registry, name="fractures", caption="New fractures, death as competing event",
            labels=labels, numeric=("day", "estimate", "n_at_risk"), data=data,
        ),
        _curves(registry, data),
    )  # fmt: skip


def _without_small_steps(
    rows: pd.DataFrame, safe: pd.DataFrame, *, by: str, most: int
) -> pd.DataFrame:
    """From one shown day of an arm to the next nobody, or more than `most`, fracture or leave."""
    out = safe.copy()
    for _, arm in rows.groupby(by, sort=False):
        last = {"events": 0, "n_at_risk": int(arm["n"].iloc[0])}
        for place in arm.index:
            for count, names in _STEPS.items():
                now = int(arm.loc[place, count])
                told = not isinstance(out.loc[place, names[0]], str)
                if told and 0 < abs(now - last[count]) <= most:
                    out.loc[place, names] = HIDDEN
                elif told:
                    last[count] = now
    return out


def _share(value: Any, low: Any, high: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(low):
        return numbers.percent(value)
    return f"{numbers.percent(value)} ({numbers.percent(low)} to {numbers.percent(high)})"


def _curves(registry: RegistryAnalysis, safe: pd.DataFrame) -> Block:
    """The shown numbers as a picture, nothing between the agreed days."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        axes = Figure(figsize=(6.0, 3.8), layout="constrained").add_subplot()
        for place, (treatment, rows) in enumerate(safe.groupby(safe.columns[0], sort=True)):
            there = rows[[not isinstance(v, str) and not pd.isna(v) for v in rows["estimate"]]]
            days = there["day"].to_numpy(float)
            value, low, high = (
                100 * there[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")
            )
            axes.errorbar(
                days + 6 * place, value, yerr=[value - low, high - value],
                marker="osD^v"[place % 5], capsize=3, lw=1.2, label=str(treatment),
                color=SERIES[place % len(SERIES)],
            )  # fmt: skip
        axes.set_ylim(bottom=0)
        axes.set_xlabel("days after day 0")
        axes.set_ylabel("patients with a new fracture, %")
        axes.legend(frameon=False, loc="upper left")
    return picture(
        axes, registry, name="fractures",
        alt="Cumulative incidence of new fractures by treatment at agreed days.",
        caption="Cumulative incidence of new fractures, death as competing event, with intervals.",
    )  # fmt: skip


def _fractures(registry: RegistryAnalysis) -> tuple[Block, ...]:
    return tuple(
        prose("{finding}", finding=str(found))
        for found in registry.fractures.values()
        if min(found.events_t, found.events_c, found.n_t, found.n_c) > registry.largest_hidden
    )


SECTION = registry_section(76, "Registry: complications and fractures", build)
