"""Which rows of an OMOP database fill which canonical table, once their roles are known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.format import Cell, Feed
from vertebro_outcomes.loaders.omop_cohort import UNDATED
from vertebro_outcomes.loaders.omop_deaths import DEATH, DEATH_DATES
from vertebro_outcomes.loaders.omop_scores import AS_CODED, MILLIMETRES, MM_SCALES, UNIT
from vertebro_outcomes.loaders.sources import Source

_SEX: Final = {"8507": "male", "8532": "female", "M": "male", "F": "female"}


def beside(standard: Sequence[Feed], own: Sequence[Feed], *, by_codes: bool) -> tuple[Feed, ...]:
    """What codes say, beside what the mapping says itself.

    For levels, events and fractures the feeds of the mapping replace the codes; for patients and
    scores they add to them; episodes come from the mapping alone where it declares the entry.
    """
    replaced = {feed.table for feed in own} & {"levels", "events", "fractures"}
    replaced |= set() if by_codes else {"episodes"}
    return tuple(feed for feed in standard if feed.table not in replaced)


def standard_feeds(tables: Mapping[str, Source]) -> tuple[Feed, ...]:
    """The feeds of a database whose people were chosen by codes."""
    person = Cell("person_id")
    member = {"_member": ["1"]}
    index, new, undated = ({"_role": [role]} for role in ("index", "new", UNDATED))
    told = ("gender_concept_id", "gender_source_value")
    sex = next((name for name in told if name in tables["person"].columns), "")
    who = {"patient_id": person, "birth_date": Cell("_birth")}
    who |= {"sex": Cell(sex, codes=_SEX, absent={"0": "missing", "8551": "missing"})} if sex else {}
    site = "care_site_id" if "care_site_id" in tables["person"].columns else ""
    who |= {"site": Cell(site)} if site else {}
    made: list[tuple[str, str, dict[str, Cell], Mapping[str, Any], tuple[str, ...]]] = [
        ("person", "patients", who, member, ()),
        ("death", "patients", {"patient_id": person, "death_date": Cell("death_date")}, member, ()),
        (
            "procedure_occurrence", "episodes",
            {
                "patient_id": person, "treatment": Cell("_treatment"),
                "treatment_date": Cell("procedure_date"),
            },
            index, (),
        ),
        (
            "procedure_occurrence", "episodes",
            {"patient_id": person, "treatment_date": Cell("procedure_date")}, undated, (),
        ),
        (
            "condition_occurrence", "episodes",
            {"patient_id": person, "fracture_date": Cell("condition_start_date")}, undated, (),
        ),
        (
            "condition_occurrence", "episodes",
            {
                "patient_id": person, "treatment": Cell("_arm"),
                "fracture_date": Cell("condition_start_date"), "n_levels": Cell("_n_levels"),
            },
            index, (),
        ),
        (
            "condition_occurrence", "levels",
            {"patient_id": person, "level": Cell("_level")}, {"_of_index": ["1"]}, ("level",),
        ),
        (
            "condition_occurrence", "fractures",
            {
                "patient_id": person, "date": Cell("condition_start_date"),
                "level": Cell("_level"),
            },
            new, (),
        ),
        (
            "observation_period", "episodes",
            {"patient_id": person, "followup_end_date": Cell("observation_period_end_date")},
            {**member, "_role": ["last"]}, (),
        ),
    ]  # fmt: skip
    for kind in ("measurement", "observation"):
        cells = {
            "patient_id": person, "instrument": Cell("_instrument"), "date": Cell(f"{kind}_date"),
            "value": Cell("value_as_number"),
        }  # fmt: skip
        event = f"{kind}_event_id"
        if kind in tables and "episode" in tables and event in tables[kind].columns:
            cells["episode_id"] = Cell(event)
        made.append((kind, "scores", cells, member, ("instrument",)))
    for kind, day in DEATH_DATES.items():
        if kind in tables and DEATH in tables[kind].columns:
            died = {"patient_id": person, "death_date": Cell(day)}
            made.append((kind, "patients", died, {**member, DEATH: ["1"]}, ()))
    feeds = (
        Feed(tables[name].name, table, cells, where, needs)
        for name, table, cells, where, needs in made
        if name in tables
    )
    units = {source.name for source in tables.values() if UNIT in source.columns}
    return tuple(
        part
        for feed in feeds
        for part in (_by_unit(feed) if feed.table == "scores" and feed.source in units else (feed,))
    )


def _by_unit(feed: Feed) -> tuple[Feed, Feed]:
    """Ratings in mm are on 0-100, whatever the code says."""
    in_mm = replace(feed, where={**feed.where, UNIT: [MILLIMETRES]}, scales=MM_SCALES)
    return in_mm, replace(feed, where={**feed.where, UNIT: [AS_CODED]})
