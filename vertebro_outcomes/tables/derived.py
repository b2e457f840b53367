"""Columns that follow from other columns: adjacency, age of the fracture, status of a score."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vertebro_outcomes.spine import POSITION

if TYPE_CHECKING:
    import ibis.expr.types as ir


def with_derived_columns(tables: Mapping[str, "ir.Table"]) -> dict[str, "ir.Table"]:
    """The same tables with derivable blanks filled; what is given is never overwritten.

    Tables without rows may be left out.
    """
    derived = dict(tables)
    derived["episodes"] = _fracture_age(tables["episodes"])
    if "scores" in tables:
        derived["scores"] = _status(tables["scores"])
    if "fractures" in tables and "levels" in tables:
        derived["fractures"] = _adjacency(tables["fractures"], tables["levels"])
    return derived


def _fracture_age(episodes: "ir.Table") -> "ir.Table":
    import ibis

    from_day = (-episodes.fracture_day).nullif(ibis.null("int64"))
    age = ibis.ifelse(episodes.fracture_day <= 0, from_day, ibis.null("int64"))
    return episodes.mutate(fracture_age_days=episodes.fracture_age_days.coalesce(age))


def _status(scores: "ir.Table") -> "ir.Table":
    import ibis

    seen = ibis.ifelse(scores.value.isnull(), "missing", "observed")
    return scores.mutate(status=scores.status.coalesce(seen))


def _adjacency(fractures: "ir.Table", levels: "ir.Table") -> "ir.Table":
    """True where a new fracture lies one vertebra from a treated level of the same patient."""
    import ibis

    treated = levels.filter(levels.treated.fill_null(True))
    treated = treated.select(
        treated.patient_id, at=treated.level.substitute(_positions()).try_cast("int64")
    )
    new = fractures.filter(fractures.level.notnull()).select("patient_id", "level").distinct()
    new = new.mutate(here=new.level.substitute(_positions()).try_cast("int64"))
    pairs = new.inner_join(treated, "patient_id")
    nearest = pairs.group_by(["patient_id", "level"]).aggregate(
        nearest=(pairs.here - pairs["at"]).abs().min(),
        next_to=((pairs.here - pairs["at"]).abs() == 1).max(),
    )
    joined = fractures.left_join(
        nearest,
        [fractures.patient_id == nearest.patient_id, fractures.level == nearest.level],
        rname="{name}_near",
    )
    found = ibis.ifelse(joined.next_to.isnull(), ibis.null("boolean"), joined.next_to)
    return joined.mutate(adjacent=joined.adjacent.coalesce(found)).select(fractures.columns)


def _positions() -> dict[str, str]:
    return {level: str(place) for level, place in POSITION.items()}
