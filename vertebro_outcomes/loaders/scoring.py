"""Scores: recorded scale -> canonical scale, contradictions of scale, duplicates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.format import Duplicates
from vertebro_outcomes.loaders.ledger import Ledger
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import FILE, ORDER, REFUSED, WHY, Staged
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.event_types import INSTRUMENTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

Scale = tuple[float, float]
# A column is refused as a whole when this share of it lies off its declared scale.
CONTRADICTION_SHARE: Final = 0.1
CONTRADICTION_LEAST: Final = 3
SAME_SCALE_SUSPECT: Final = 20  # so many values, all within a tenth of the declared scale


def on_canonical_scale(staged: Staged, ledger: Ledger) -> tuple[Staged, tuple[str, ...]]:
    """The rows of one feed of scores with `value` on the canonical scale and the record beside it."""
    import ibis

    data = staged.data
    scales = declared_scales(staged)
    low, high = (_by_instrument(data, {k: s[i] for k, s in scales.items()}) for i in (0, 1))
    off = ((data.value < low) | (data.value > high)).fill_null(False)
    data = data.mutate(_off=off & data[REFUSED].isnull())
    wrong, notes = _contradictions(data, scales, staged)
    off_rows = data.filter(data["_off"] | data.instrument.isin(wrong or [""]))
    title = staged.titles.get("value", "value")
    for name in wrong:
        rows = off_rows.filter(off_rows.instrument == name)
        text = f"the values contradict the declared scale {_text(scales[name])} of {name}"
        ledger.refuse_rows(rows, text, column=title, found=rows.value)
    single = off_rows.filter(off_rows.instrument.notin(wrong)) if wrong else off_rows
    for name, scale in scales.items():
        if name not in wrong:
            rows = single.filter(single.instrument == name)
            rule = f"off the scale {_text(scale)} of {name}"
            ledger.refuse_rows(rows, rule, column=title, found=rows.value)
    rest = data.filter(~data["_off"] & data.instrument.notin(wrong or [""]))
    value = _converted(rest, scales)
    written = _by_instrument(rest, {k: _text(s) for k, s in scales.items()}, text=True)
    recorded = ibis.ifelse(rest.value.notnull(), written, ibis.null("string"))
    rest = rest.mutate(value_raw=rest.value, scale_raw=recorded, value=value).drop("_off")
    return Staged(staged.feed, staged.source, rest), notes


def declared_scales(staged: Staged) -> dict[str, Scale]:
    """Instrument -> scale as recorded: of the feed, of the cell, else the canonical one."""
    found = staged.data.select("instrument").distinct().to_pyarrow()["instrument"].to_pylist()
    cell = staged.feed.cells["value"]
    scales: dict[str, Scale] = {}
    for name in sorted(word for word in found if word):
        instrument = INSTRUMENTS[name]
        canonical = (instrument.low, instrument.high)
        chosen = staged.feed.scales.get(name) or cell.scale
        if chosen is None and canonical[0] is not None and canonical[1] is not None:
            chosen = (canonical[0], canonical[1])
        if chosen is not None:
            scales[name] = (float(chosen[0]), float(chosen[1]))
    return scales


def _contradictions(
    data: "ir.Table", scales: Mapping[str, Scale], staged: Staged
) -> tuple[list[str], tuple[str, ...]]:
    seen = data.filter(data.value.notnull() & data[REFUSED].isnull())
    facts = seen.group_by("instrument").aggregate(
        n=seen.count(), off=seen["_off"].sum(), top=seen.value.max()
    )
    wrong, notes = [], []
    for fact in facts.order_by("instrument").to_pyarrow().to_pylist():
        name = fact["instrument"]
        if name not in scales:
            continue
        least = max(CONTRADICTION_LEAST, CONTRADICTION_SHARE * fact["n"])
        if fact["off"] >= least:
            wrong.append(name)
        low, high = scales[name]
        if fact["n"] >= SAME_SCALE_SUSPECT and fact["top"] <= low + (high - low) / 10:
            notes.append(
                f"{staged.source.name}: {name} is declared on {_text(scales[name])} but no value "
                f"is above {fact['top']:g}; check the scale"
            )
    return wrong, tuple(notes)


def _converted(rows: "ir.Table", scales: Mapping[str, Scale]) -> Any:
    """Linear from the recorded to the canonical scale, multiplied before it is divided."""
    import ibis

    branches = []
    for name, (low, high) in scales.items():
        ours = INSTRUMENTS[name]
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
    engine: Any, scores: "ir.Table", rule: Duplicates, ledger: Ledger
) -> "ir.Table":
    """One score per patient, episode, instrument and day: a value before a blank, then by `rule`."""
    import ibis

    by = ["patient_id", "episode_id", "instrument", "day"]
    repeated = scores.group_by(by).aggregate(n=scores.count()).filter(lambda t: t.n > 1)
    if not repeated.count().to_pyarrow().as_py():
        return scores
    order = scores[ORDER] if rule == "first" else -scores[ORDER]
    window = ibis.window(group_by=by, order_by=[scores.value.isnull(), order])
    ranked = store(
        engine,
        "ranked",
        scores.mutate(
            _place=ibis.row_number().over(window), _kept=scores.value.first().over(window)
        ),
    )
    losing = ranked.filter(ranked["_place"] > 0)
    differs = losing.filter(losing.value.notnull() & (losing.value != losing["_kept"]))
    text = f"another score for the same patient, instrument and day; the {rule} is kept"
    ledger.refuse_rows(differs, text, column="value", found=differs.value_raw)
    same = losing.filter(losing.value.isnull() | (losing.value == losing["_kept"]))
    ledger.flag_cells(same, "repeats a score that is kept", column="value", found=same.value_raw)
    return ranked.filter(ranked["_place"] == 0).drop("_place", "_kept")


def statuses(scores: "ir.Table", patients: "ir.Table") -> "ir.Table":
    """`observed`, or why there is no value; from the day of death on the reason is death."""
    import ibis

    deaths = patients.filter(patients.death_day.notnull()).select(
        dead_patient=patients.patient_id, death=patients.death_day
    )
    joined = scores.left_join(deaths, scores.patient_id == deaths.dead_patient)
    status = ibis.cases(
        (joined.value.notnull(), "observed"),
        ((joined.day >= joined.death).fill_null(False), "dead"),
        else_=joined[WHY + "value"].coalesce("missing"),
    )
    return joined.mutate(status=joined.status.coalesce(status)).drop("dead_patient", "death")


__all__ = ["FILE", "LINE", "on_canonical_scale", "resolve_duplicates", "statuses"]
