"""Staged rows -> the canonical cohort: merge, count days, check across tables, settle accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.ledger import NOT_SHOWN, Ledger
from vertebro_outcomes.loaders.records import collect, empty, merge, stated_absences
from vertebro_outcomes.loaders.scoring import on_canonical_scale, resolve_duplicates, statuses
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import FILE, Staged, stage
from vertebro_outcomes.loaders.timing import (
    DAY0_DATE,
    NUMBER,
    attach,
    check_order,
    episodes_of,
    kept_dates,
)
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.derived import with_derived_columns
from vertebro_outcomes.tables.engine import count, store

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHILDREN = ("levels", "scores", "events", "fractures")


@dataclass(frozen=True)
class Request:
    """How the caller wants a load done."""

    key: bytes
    keep_dates: bool = False
    notes: tuple[str, ...] = ()


def assemble(engine: Any, export: Export, request: Request) -> Cohort:
    """The cohort of an export, with rejects and accounting."""
    ledger = Ledger()
    staged = stage(engine, export)
    ledger.add_staged(staged)
    staged, notes = _scaled(staged, ledger)
    found = collect(engine, staged, request.key)
    has_patients = any(item.feed.table == "patients" for item in staged)
    patients = _patients(engine, found, ledger, known_only=has_patients)
    rows = {
        name: _of_known(found[name], patients, name, ledger) for name in ("episodes", *CHILDREN)
    }
    episodes = episodes_of(engine, rows["episodes"], single=export.one_episode, ledger=ledger)
    episodes = check_order(engine, episodes, ledger)
    children = {
        name: attach(engine, rows[name], episodes, name=name, ledger=ledger) for name in CHILDREN
    }
    patients = _ages_and_deaths(engine, patients, episodes, children, ledger)
    children["scores"] = resolve_duplicates(engine, children["scores"], export.duplicates, ledger)
    children["scores"] = statuses(children["scores"], patients)
    children["levels"] = merge(
        engine, children["levels"], ["patient_id", "episode_id", "level"], name="levels",
        ledger=ledger,
    )  # fmt: skip
    children["fractures"] = _after_day0(children["fractures"], ledger)
    ledger.used += [found["patients"], rows["episodes"], rows["levels"]]
    ledger.used += [children[name] for name in ("scores", "events", "fractures")]
    episodes = _completed(episodes, children, patients)
    whole = {"patients": patients, "episodes": kept_dates(episodes, keep=request.keep_dates)}
    tables = _canonical(engine, {**whole, **children}, stated_absences(staged, found))
    return Cohort(
        tables=with_derived_columns(tables),
        name=export.name,
        rejects=ledger.rejects(export),
        accounting=ledger.accounting(export),
        unmapped=_unmapped(export),
        notes=(
            *export.notes,
            *(n for s in export.sources for n in s.notes),
            *notes,
            *request.notes,
        ),
        synthetic=export.synthetic,
    )


def _scaled(staged: Sequence[Staged], ledger: Ledger) -> tuple[list[Staged], tuple[str, ...]]:
    made: list[Staged] = []
    notes: tuple[str, ...] = ()
    for item in staged:
        if item.feed.table == "scores":
            scaled, said = on_canonical_scale(item, ledger)
            made.append(scaled)
            notes += said
        else:
            made.append(item)
    return made, notes


def _patients(
    engine: Any, found: dict[str, "ir.Table"], ledger: Ledger, *, known_only: bool
) -> "ir.Table":
    """Merged patients; where no file lists patients, everybody who appears anywhere."""
    if known_only:
        rows = found["patients"]
        return merge(engine, rows.drop("_raw"), ["patient_id"], name="patients", ledger=ledger)
    ids: Any = None
    for name in ("episodes", *CHILDREN):
        part = found[name].select("patient_id")
        ids = part if ids is None else ids.union(part)
    bare = empty(engine, "patients")
    everybody = ids.distinct().left_join(bare, "patient_id").drop("patient_id_right")
    return store(engine, "patients", everybody)


def _of_known(rows: "ir.Table", patients: "ir.Table", name: str, ledger: Ledger) -> "ir.Table":
    rows = rows.drop("_raw")
    strangers = rows.anti_join(patients, "patient_id")
    if count(strangers):
        rule = f"a row of {name} for a patient that the patients table does not have"
        ledger.refuse_rows(strangers, rule, column="patient_id", found=NOT_SHOWN)
        return rows.semi_join(patients, "patient_id")
    return rows


def _ages_and_deaths(
    engine: Any,
    patients: "ir.Table",
    episodes: "ir.Table",
    children: dict[str, "ir.Table"],
    ledger: Ledger,
) -> "ir.Table":
    """Age and death counted from day 0 of the first episode; impossible ones set aside."""
    import ibis

    first = episodes.filter(episodes[NUMBER] == 1)
    first = first.select(day0=first[DAY0_DATE], first_patient=first.patient_id)
    joined = patients.left_join(first, patients.patient_id == first.first_patient)
    age = (joined.day0.delta(joined.birth_date, unit="day") / 365.25).floor()
    death = joined.death_date.delta(joined.day0, unit="day").cast("int64")
    joined = joined.mutate(
        age_years=joined.age_years.coalesce(age), death_day=joined.death_day.coalesce(death)
    )
    seen: Any = None
    for name in ("scores", "events"):
        rows = children[name]
        alive = rows.value.notnull() if name == "scores" else rows.type != "death"
        part = rows.filter(alive & rows.day.notnull()).select("patient_id", "day")
        seen = part if seen is None else seen.union(part)
    last = seen.group_by("patient_id").aggregate(last=seen.day.max())
    last = last.select("last", last_patient=last.patient_id)
    joined = joined.left_join(last, joined.patient_id == last.last_patient)
    joined = store(engine, "patients", joined)
    old = ((joined.age_years < 0) | (joined.age_years > 120)).fill_null(False)
    early = (joined.death_day < 0).fill_null(False)
    seen_after = (joined.death_day < joined["last"]).fill_null(False)
    rules = (
        (old, "age at day 0 is not 0 to 120 years", "birth_date", joined.age_years),
        (early, "death before day 0", "death_date", joined.death_day),
        (seen_after & ~early, "death before the last visit", "death_date", joined.death_day),
    )
    if FILE in joined.columns:
        for wrong, rule, column, value in rules:
            ledger.flag_cells(joined.filter(wrong), rule, column=column, found=value)
    return joined.mutate(
        age_years=ibis.ifelse(old, ibis.null("float64"), joined.age_years),
        death_day=ibis.ifelse(early | seen_after, ibis.null("int64"), joined.death_day),
    )


def _after_day0(fractures: "ir.Table", ledger: Ledger) -> "ir.Table":
    early = fractures.filter(fractures.day < 0)
    ledger.refuse_rows(early, "a new fracture dated before day 0", column="date", found=early.day)
    return fractures.filter(fractures.day.isnull() | (fractures.day >= 0))


def _completed(
    episodes: "ir.Table", children: dict[str, "ir.Table"], patients: "ir.Table"
) -> "ir.Table":
    """Follow-up ends with death, else as recorded, else with the last dated record; levels counted."""
    import ibis

    levels = children["levels"]
    treated = levels.filter(levels.treated.fill_null(True))
    n_levels = treated.group_by("episode_id").aggregate(n_here=treated.count())
    n_levels = n_levels.select("n_here", level_episode=n_levels.episode_id)
    seen: Any = None
    for name in ("scores", "events", "fractures"):
        part = children[name].filter(lambda t: t.day >= 0).select("episode_id", "day")
        seen = part if seen is None else seen.union(part)
    last = seen.group_by("episode_id").aggregate(last=seen.day.max())
    last = last.select("last", last_episode=last.episode_id)
    deaths = patients.select("death_day", dead_patient=patients.patient_id)
    whole = episodes.left_join(n_levels, episodes.episode_id == n_levels.level_episode)
    whole = whole.left_join(last, whole.episode_id == last.last_episode)
    whole = whole.left_join(deaths, whole.patient_id == deaths.dead_patient)
    first = whole[NUMBER] == 1  # death counts from day 0 of the first episode
    death = ibis.ifelse(first, whole.death_day, ibis.null("int64"))
    end = ibis.least(whole.followup_end_day.coalesce(death, whole["last"]), death)
    cement = whole.treatment.isin(("VP", "KP", "VAI", "VA")).fill_null(False)
    counted = ibis.ifelse(cement, whole.n_here.cast("int64"), ibis.null("int64"))
    end = ibis.ifelse(death.isnull(), whole.followup_end_day.coalesce(whole["last"]), end)
    return whole.mutate(n_levels=whole.n_levels.coalesce(counted), followup_end_day=end)


def _canonical(
    engine: Any, tables: dict[str, "ir.Table"], absences: "ir.Table | None"
) -> dict[str, "ir.Table"]:
    """Exactly the declared columns, stored; rows of trace and dates are gone."""
    import ibis
    import pyarrow as pa

    made = {}
    for name, declared in STORED.items():
        if name == "absences":
            continue
        made[name] = store(engine, name, tables[name].select(list(declared.names)))
    if absences is None:
        columns = {c: pa.array([], pa.string()) for c in STORED["absences"].names}
        made["absences"] = store(engine, "absences", pa.table(columns))
    else:
        own = absences.mutate(episode_id=ibis.null("string"))
        own = own.semi_join(made["patients"], "patient_id")
        made["absences"] = store(engine, "absences", own.select(list(STORED["absences"].names)))
    return made


def _unmapped(export: Export) -> Any:
    import pandas as pd

    lines = [
        dict(zip(("source_file", "column", "reason"), row, strict=True)) for row in export.unmapped
    ]
    return pd.DataFrame(lines, columns=["source_file", "column", "reason"], dtype=object)


__all__ = ["LINE", "Request", "assemble"]
