"""Scores: recorded scale -> canonical scale, contradictions of scale, duplicates."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.accounts import REPEATS
from vertebro_outcomes.loaders.format import STAGED, Duplicates
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import FILE, ORDER, REFUSED, WHY, Staged
from vertebro_outcomes.loaders.tallies import Fact
from vertebro_outcomes.tables.engine import count, is_blank, store, store_told
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument

if TYPE_CHECKING:
    import ibis.expr.types as ir

Scale = tuple[float, float]
# A column is refused as a whole when this share of it lies off its declared scale.
CONTRADICTION_SHARE: Final = 0.1
CONTRADICTION_LEAST: Final = 3
SAME_SCALE_SUSPECT: Final = 20  # so many values, all within a tenth of the declared scale
SUMS: Final = {"odi": 50.0}  # the highest sum of answers, where a percentage is expected


def on_canonical_scale(staged: Staged, ledger: Ledger) -> tuple[Staged, tuple[str, ...]]:
    """The rows of one feed of scores that lie on their scales; `finish` converts what remains."""
    data = staged.data
    facts = staged.tally.facts
    scales = declared_scales(staged, [fact.instrument for fact in facts])
    off = {f.instrument: f for f in facts if f.instrument in scales and _exceeds(f, scales)}
    wrong: list[str] = []
    if off:
        low, high = (_by_instrument(data, {k: scales[k][i] for k in off}) for i in (0, 1))
        outside = ((data.value < low) | (data.value > high)).fill_null(False)
        data = data.mutate(_off=outside & data[REFUSED].isnull())
        wrong = _contradicted(data, facts)
        column = staged.titles.get("value", "value")
        ledger.refuse_rows(data, [_misfit(data, n, scales[n], n in wrong, column) for n in off])
        gone = data["_off"] | data.instrument.isin(wrong or [""])
        data = data.filter(~gone.fill_null(False)).drop("_off")
    known = {**INSTRUMENTS, **staged.feed.instruments}
    finish = functools.partial(_on_scale, scales=scales, known=known)
    words = {
        "instrument": [fact.instrument for fact in facts],
        "scale_raw": [_text(scale) for scale in scales.values()],
        "status": STAGED["scores"]["status"].codes,
    }
    staged = replace(staged, data=data, finish=finish, words=words)
    return staged, (*_suspicions(facts, scales, staged), *_mixed_units(staged, scales))


def _on_scale(
    rows: "ir.Table", *, scales: Mapping[str, Scale], known: Mapping[str, Instrument]
) -> "ir.Table":
    """`value` on the canonical scale, beside it the number and the scale as recorded."""
    import ibis

    written = _by_instrument(rows, {k: _text(s) for k, s in scales.items()}, text=True)
    recorded = ibis.ifelse(rows.value.notnull(), written, ibis.null("string"))
    value = _converted(rows, scales, known)
    return rows.mutate(value_raw=rows.value, scale_raw=recorded, value=value)


def declared_scales(staged: Staged, instruments: Sequence[str]) -> dict[str, Scale]:
    """Instrument -> scale as recorded: of the feed, of the cell, else the canonical one."""
    cell = staged.feed.cells["value"]
    scales: dict[str, Scale] = {}
    known = {**INSTRUMENTS, **staged.feed.instruments}
    for name in instruments:
        instrument = known[name]
        canonical = (instrument.low, instrument.high)
        chosen = staged.feed.scales.get(name) or cell.scale
        if chosen is None and canonical[0] is not None and canonical[1] is not None:
            chosen = (canonical[0], canonical[1])
        if chosen is not None:
            scales[name] = (float(chosen[0]), float(chosen[1]))
    return scales


def _exceeds(fact: Fact, scales: Mapping[str, Scale]) -> bool:
    low, high = scales[fact.instrument]
    if fact.lowest is None or fact.highest is None:
        return False
    return fact.lowest < low or fact.highest > high


def _contradicted(data: "ir.Table", facts: Sequence[Fact]) -> list[str]:
    """Instruments with too many values off the declared scale."""
    counted = data.filter(data["_off"]).group_by("instrument").aggregate(off=data["_off"].sum())
    off = {row["instrument"]: row["off"] for row in counted.to_pyarrow().to_pylist()}
    return [
        fact.instrument
        for fact in facts
        if off.get(fact.instrument, 0) >= max(CONTRADICTION_LEAST, CONTRADICTION_SHARE * fact.n)
    ]


def _misfit(data: "ir.Table", name: str, scale: Scale, whole: bool, column: str) -> Finding:
    here = data.instrument == name
    if whole:
        rule = f"the values contradict the declared scale {_text(scale)} of {name}"
        return Finding(here, rule, column, data.value)
    return Finding(
        here & data["_off"], f"off the scale {_text(scale)} of {name}", column, data.value
    )


def _suspicions(
    facts: Sequence[Fact], scales: Mapping[str, Scale], staged: Staged
) -> tuple[str, ...]:
    notes = []
    for fact in facts:
        if fact.instrument not in scales or fact.highest is None:
            continue
        low, high = scales[fact.instrument]
        suspect = low + (high - low) / 10
        if (low, high) == (0, 100):
            suspect = SUMS.get(fact.instrument, suspect)
        if fact.n >= SAME_SCALE_SUSPECT and fact.highest <= suspect:
            notes.append(
                f"{staged.source.name}: {fact.instrument} is declared on "
                f"{_text(scales[fact.instrument])} but no value is above {fact.highest:g}; "
                "check the scale"
            )
    return tuple(notes)


def _mixed_units(staged: Staged, scales: Mapping[str, Scale]) -> tuple[str, ...]:
    """Marks in mm are whole numbers: decimals up to ten alone among them may be cm of another site."""
    tens = [n for n, scale in scales.items() if scale == (0, 100) and _is_of_ten(n)]
    if not tens:
        return ()
    rows = staged.data.filter(staged.data.instrument.isin(tens))
    part = rows.value != rows.value.floor()
    counts = rows.group_by("instrument").aggregate(
        low=(part & (rows.value <= 10)).sum(), high=(part & (rows.value > 10)).sum()
    )
    return tuple(
        f"{staged.source.name}: {row['instrument']} is read on 0-100, but only values up to 10 have "
        "decimals: cm and mm may be mixed; give each unit a feed of its own"
        for row in counts.order_by("instrument").to_pyarrow().to_pylist()
        if (row["low"] or 0) >= CONTRADICTION_LEAST and not row["high"]
    )


def _is_of_ten(name: str) -> bool:
    return name in INSTRUMENTS and INSTRUMENTS[name].high == 10


def _converted(
    rows: "ir.Table", scales: Mapping[str, Scale], known: Mapping[str, Instrument]
) -> Any:
    """Linear from the recorded to the canonical scale, multiplied before it is divided."""
    import ibis

    branches = []
    for name, (low, high) in scales.items():
        ours = known[name]
        if ours.low is None or ours.high is None or (low, high) == (ours.low, ours.high):
            continue
        moved = (rows.value - low) * (ours.high - ours.low) / (high - low) + ours.low
        branches.append((rows.instrument == name, moved))
    return ibis.cases(*branches, else_=rows.value) if branches else rows.value


def _by_instrument(rows: "ir.Table", values: Mapping[str, Any], *, text: bool = False) -> Any:
    import ibis

    kind = "string" if text else "float64"
    if not values:
        return ibis.null(kind)
    return rows.instrument.cases(*values.items(), else_=ibis.null(kind))


def _text(scale: Scale) -> str:
    return f"{scale[0]:g}-{scale[1]:g}"


def resolve_duplicates(
    engine: Any, scores: "ir.Table", crowds: "ir.Table", *, rule: Duplicates, ledger: Ledger
) -> "ir.Table":
    """One score per patient, episode, instrument and day: a value before a blank, then by `rule`.

    Only the scores of `crowds` (`patient_id`) are looked at.
    """
    import ibis

    by = ["patient_id", "episode_id", "instrument", "day"]
    suspects = store_told(engine, "suspects", scores.semi_join(crowds, "patient_id"))
    again = suspects.group_by(by).aggregate(n=suspects.count()).filter(lambda t: t.n > 1)
    if not count(again):
        return scores
    again = again.drop("n").rename(**{f"_{name}": name for name in by})
    same = [suspects[name].identical_to(again[f"_{name}"]) for name in by]
    suspects = store_told(engine, "suspects", suspects.semi_join(again, same))
    order = suspects[ORDER] if rule == "first" else -suspects[ORDER]
    window = ibis.window(group_by=by, order_by=[suspects.value.isnull(), order])
    ranked = suspects.mutate(
        _place=ibis.row_number().over(window), _kept=suspects.value.first().over(window)
    )
    losing = store(engine, "losing", ranked.filter(ranked["_place"] > 0))
    differs = (losing.value.notnull() & (losing.value != losing["_kept"])).fill_null(False)
    text = f"another score for the same patient, instrument and day; the {rule} is kept"
    ledger.refuse_rows(losing, [Finding(differs, text, "value", losing.value_raw)])
    ledger.flag_cells(losing, [Finding(~differs, REPEATS, "value", losing.value_raw)])
    ledger.repeat(losing.filter(~differs))
    return scores.anti_join(losing, ORDER)


def statuses(scores: "ir.Table", patients: "ir.Table") -> "ir.Table":
    """`observed`, or why there is no value; from the day of death on the reason is death."""
    import ibis

    if is_blank(patients.op(), "death_day"):
        joined = scores.mutate(death=ibis.null("int64"))
    else:
        deaths = patients.filter(patients.death_day.notnull())
        deaths = deaths.select(dead_patient="patient_id", death="death_day")
        joined = scores.left_join(deaths, scores.patient_id == deaths.dead_patient)
        joined = joined.drop("dead_patient")
    status = ibis.cases(
        (joined.value.notnull(), "observed"),
        ((joined.day >= joined.death).fill_null(False), "dead"),
        else_=joined[WHY + "value"].coalesce("missing"),
    )
    return joined.mutate(status=joined.status.coalesce(status)).drop("death")


__all__ = ["FILE", "LINE", "on_canonical_scale", "resolve_duplicates", "statuses"]
