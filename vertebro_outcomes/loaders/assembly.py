"""Staged rows -> the canonical cohort: merge, count days, check across tables, settle accounts."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from vertebro_outcomes.loaders.canonical import canonical_tables
from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.leak_events import vertebrae
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.present import only_values
from vertebro_outcomes.loaders.pseudonyms import Names
from vertebro_outcomes.loaders.records import (
    Kinds,
    collect,
    in_file_order,
    is_one_row_each,
    merge,
    stated_absences,
)
from vertebro_outcomes.loaders.scoring import on_canonical_scale, resolve_duplicates, statuses
from vertebro_outcomes.loaders.seen import facts_of, of_persons, repeating
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.spans import (
    DAY0_DATE,
    NUMBER,
    PERSON,
    spans_of,
    with_last_seen,
)
from vertebro_outcomes.loaders.spellings import flag_spellings
from vertebro_outcomes.loaders.staging import FILE, Staged, stage
from vertebro_outcomes.loaders.timing import (
    attach,
    check_order,
    episodes_of,
    kept_dates,
    keyed,
    refuse_undated,
)
from vertebro_outcomes.loaders.told_once import told_once
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.derived import with_derived_columns
from vertebro_outcomes.tables.engine import count, is_blank, store, store_told
from vertebro_outcomes.tables.selection import line_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHILDREN = ("levels", "scores", "events", "fractures")
NOT_MERGED = ("scores", "events", "fractures")  # a row of a file is a row of the cohort


@dataclass(frozen=True)
class Request:
    """How the caller wants a load done."""

    key: bytes
    keep_dates: bool = False
    notes: tuple[str, ...] = ()
    step: Callable[[str], AbstractContextManager[object]] = nullcontext


def assemble(engine: Any, export: Export, request: Request) -> Cohort:
    """The cohort of an export, with rejects and accounting."""
    ledger = Ledger()
    with request.step("rows read and checked"):
        export, staged = stage(engine, export)
        staged = ledger.add_staged(staged)
        staged, notes = _scaled(staged, ledger)
    fed = {item.feed.table for item in staged}
    with request.step("persons numbered"):
        facts = facts_of(engine, staged)
        found, names = collect(engine, staged, request.key, facts)
        flag_spellings(engine, staged, names, ledger)
    patients = _patients(engine, staged, found["patients"], names, ledger)
    rows, n_patients = _of_known(staged, found, names, patients, ledger)
    once = export.one_episode, is_one_row_each(staged, "episodes", names)
    rows["episodes"], episodes, several = _episodes(engine, rows["episodes"], once, ledger)
    with request.step("days counted, duplicates looked for"):
        of_each = None if facts is None else of_persons(facts(), names)
        spans = spans_of(engine, names, episodes, of_each, several=several)
        spans = check_order(episodes, spans, ledger)
        children = {
            name: attach(engine, rows[name], spans, name=name, ledger=ledger)
            for name in CHILDREN
            if name in fed
        }
        if export.facts_repeat:
            children, again = told_once(children, staged, ledger)
            notes += again
        if spans.undated:
            children["scores"] = refuse_undated(children["scores"], ledger)
        dated = {name: children[name] for name in NOT_MERGED if name in fed}
        seen = with_last_seen(engine, *only_values(spans, dated))
        patients = _ages_and_deaths(engine, patients, seen, ledger)
        crowds = repeating(engine, rows["scores"], spans.crowds()) if spans.crowded else None
        if crowds is not None:
            children["scores"] = resolve_duplicates(
                engine, children["scores"], crowds, rule=export.duplicates, ledger=ledger
            )
    ledger.used |= {"patients": found["patients"], "episodes": rows["episodes"], **children}
    if "scores" in fed:
        children["scores"] = statuses(children["scores"], patients)
    children, leaks, said = vertebrae(engine, children, seen, ledger)
    if "fractures" in fed:
        kept = _after_day0(children["fractures"], ledger)
        children["fractures"] = ledger.used["fractures"] = kept
    episodes = _completed(seen.filter(seen[NUMBER].notnull()), patients)
    episodes = _counted(episodes, children.get("levels")) if export.counts_levels else episodes
    whole = {"patients": patients, "episodes": kept_dates(episodes, keep=request.keep_dates)}
    first = line_of(n_patients, spans.per_arm)
    with request.step("tables put together"):
        derived = with_derived_columns({**whole, **children})
        absences = stated_absences(staged, names)
        tables = canonical_tables(engine, derived, staged, names, absences, spans=spans)
    with request.step("accounts settled"):
        apart = (*NOT_MERGED, *(n for n in tables if is_one_row_each(staged, n, names)))
        written = {n: count(tables[n]) - (leaks if n == "events" else 0) for n in apart if n in fed}
        account = ledger.settle(export, staged, written)
    return Cohort(
        tables=tables,
        name=export.name,
        rejects=ledger.rejects(export),
        accounting=account.files,
        ignored=account.ignored,
        unmapped=_unmapped(export),
        notes=(
            *export.notes,
            *(n for s in export.sources for n in s.notes),
            *notes,
            *said,
            *request.notes,
        ),
        attrition=pd.DataFrame([first]),
        synthetic=export.synthetic,
        instruments=export.instruments,
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
    engine: Any, staged: Sequence[Staged], rows: "ir.Table", names: Names, ledger: Ledger
) -> "ir.Table":
    """Merged patients; where no file lists patients, everybody who appears anywhere."""
    if is_one_row_each(staged, "patients", names):
        return rows
    if any(item.feed.table == "patients" for item in staged):
        return merge(engine, rows, ["patient_id"], name="patients", ledger=ledger)
    everybody = names.people.select(patient_id="number")
    everybody = everybody.left_join(rows, "patient_id").drop("patient_id_right")
    return store(engine, "patients", everybody)


def _of_known(
    staged: Sequence[Staged], found: Kinds, names: Names, patients: "ir.Table", ledger: Ledger
) -> tuple[Kinds, int]:
    """Rows of people whom the patients table does not have are refused; how many it has."""
    lists = any(item.feed.table == "patients" for item in staged)
    if not lists or is_one_row_each(staged, "patients", names):
        return found, names.n_people
    n_patients = count(patients)
    if n_patients == names.n_people:
        return found, n_patients
    known = patients.select("patient_id", is_known=True)
    kept = {"patients": found["patients"]}
    for name in ("episodes", *CHILDREN):
        rule = f"a row of {name} for a patient that the patients table does not have"
        marked = found[name].left_join(known, "patient_id").drop("patient_id_right")
        ledger.refuse_rows(marked, [Finding(marked.is_known.isnull(), rule, "patient_id")])
        kept[name] = marked.filter(marked.is_known.notnull()).drop("is_known")
    return kept, n_patients


def _episodes(
    engine: Any, rows: "ir.Table", once: tuple[bool, bool], ledger: Ledger
) -> tuple["ir.Table", "ir.Table", bool]:
    """The rows that tell of episodes, the episodes, and whether somebody has several.

    `once`: whether each patient has a single episode, and a single row.
    """
    single, one_row = once
    rows, again = keyed(engine, rows, single=single, once=one_row, ledger=ledger)
    return rows, *episodes_of(engine, rows, again=again, ledger=ledger)


def _ages_and_deaths(
    engine: Any, patients: "ir.Table", seen: "ir.Table", ledger: Ledger
) -> "ir.Table":
    """Age and death counted from day 0 of the first episode; impossible ones set aside."""
    import ibis

    dies = _is_told(patients, "death_date") or _is_told(patients, "death_day")
    if not dies and not _is_told(patients, "birth_date"):
        return patients  # an age as recorded has been checked as it was read
    joined = store_told(engine, "patients", in_file_order(_dated(patients, seen)))
    old = ((joined.age_years < 0) | (joined.age_years > 120)).fill_null(False)
    early = (joined.death_day < 0).fill_null(False)
    seen_after = (joined.death_day < joined["last"]).fill_null(False) & ~early
    findings = (
        Finding(old, "age at day 0 is not 0 to 120 years", "birth_date", joined.age_years),
        Finding(early, "death before day 0", "death_date", joined.death_day),
        Finding(seen_after, "death before the last visit", "death_date", joined.death_day),
    )
    if FILE in joined.columns:
        ledger.flag_cells(joined, findings)
    if not dies:
        return joined.mutate(age_years=ibis.ifelse(old, ibis.null("float64"), joined.age_years))
    return joined.mutate(
        age_years=ibis.ifelse(old, ibis.null("float64"), joined.age_years),
        death_day=ibis.ifelse(early | seen_after, ibis.null("int64"), joined.death_day),
    )


def _dated(patients: "ir.Table", seen: "ir.Table") -> "ir.Table":
    """Patients with age and death counted from day 0, and the day of their last sign of life."""
    first = seen.filter(seen[NUMBER] == 1)
    first = first.select(day0=first[DAY0_DATE], first_patient=first[PERSON])
    joined = patients.left_join(first, patients.patient_id == first.first_patient)
    age = (joined.day0.delta(joined.birth_date, unit="day") / 365.25).floor()
    death = joined.death_date.delta(joined.day0, unit="day").cast("int64")
    joined = joined.mutate(
        age_years=joined.age_years.coalesce(age), death_day=joined.death_day.coalesce(death)
    )
    last = seen.group_by(last_patient=seen[PERSON]).aggregate(last=seen.alive.max())
    joined = joined.left_join(last, joined.patient_id == last.last_patient)
    return joined.drop("day0", "first_patient", "last_patient")


def _is_told(table: "ir.Table", column: str) -> bool:
    return not is_blank(table.op(), column)


def _after_day0(fractures: "ir.Table", ledger: Ledger) -> "ir.Table":
    early = (fractures.day < 0).fill_null(False)
    finding = Finding(early, "a new fracture dated before day 0", "date", fractures.day)
    return fractures.filter(~early) if ledger.refuse_rows(fractures, [finding]) else fractures


def _completed(whole: "ir.Table", patients: "ir.Table") -> "ir.Table":
    """Follow-up ends with death, else as recorded, else with the last record; blank scores are none."""
    import ibis

    end = whole.followup_end_day.coalesce(whole["last"])
    if is_blank(patients.op(), "death_day"):
        return whole.mutate(followup_end_day=end)
    deaths = patients.filter(patients.death_day.notnull())
    deaths = deaths.select("death_day", dead_patient=deaths.patient_id)
    whole = whole.left_join(deaths, whole.patient_id == deaths.dead_patient)
    first = whole[NUMBER] == 1  # death counts from day 0 of the first episode
    death = ibis.ifelse(first, whole.death_day, ibis.null("int64"))
    dies = ibis.least(whole.followup_end_day.coalesce(death, whole["last"]), death)
    end = ibis.ifelse(death.isnull(), whole.followup_end_day.coalesce(whole["last"]), dies)
    return whole.mutate(followup_end_day=end)


def _counted(episodes: "ir.Table", levels: "ir.Table | None") -> "ir.Table":
    """The number of treated levels of episodes with cement, where the levels are told."""
    import ibis

    if levels is None:
        return episodes
    treated = levels.filter(levels.treated.fill_null(True))
    n_levels = treated.group_by(of="patient_id", at="episode_id").aggregate(n_here=treated.count())
    same = [episodes.patient_id == n_levels.of, episodes.episode_id == n_levels["at"]]
    whole = episodes.left_join(n_levels, same)
    cement = whole.treatment.isin(("VP", "KP", "VAI", "VA")).fill_null(False)
    counted = ibis.ifelse(cement, whole.n_here.cast("int64"), ibis.null("int64"))
    return whole.mutate(n_levels=whole.n_levels.coalesce(counted))


def _unmapped(export: Export) -> Any:
    lines = [
        dict(zip(("source_file", "column", "reason"), row, strict=True)) for row in export.unmapped
    ]
    return pd.DataFrame(lines, columns=["source_file", "column", "reason"], dtype=object)


__all__ = ["LINE", "Request", "assemble"]
