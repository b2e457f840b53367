"""Staged rows -> the canonical cohort: merge, count days, check across tables, settle accounts."""

# ruff: noqa: PD004 -- notnull is the name Ibis gives it

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.loaders.canonical import canonical_tables
from vertebro_outcomes.loaders.format import Export
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.records import (
    Kinds,
    collect,
    empty,
    in_file_order,
    merge,
    people_of,
    stated_absences,
)
from vertebro_outcomes.loaders.scoring import (
    crowded,
    flag,
    on_canonical_scale,
    resolve_duplicates,
    statuses,
)
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import FILE, Staged, stage
from vertebro_outcomes.loaders.timing import (
    DAY0_DATE,
    NUMBER,
    attach,
    check_order,
    episodes_of,
    is_undated,
    kept_dates,
    refuse_undated,
)
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.derived import with_derived_columns
from vertebro_outcomes.tables.engine import (
    count,
    is_blank,
    raised,
    store,
    store_told,
    total,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

EPISODE = ("patient_id", "episode_id")
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
        ledger.add_staged(staged)
        staged, notes = _scaled(staged, ledger)
    with request.step("persons numbered"):
        found, names = collect(engine, staged, request.key)
    has_patients = any(item.feed.table == "patients" for item in staged)
    patients = _patients(engine, found, names, ledger, listed=has_patients)
    rows = _of_known(found, names, patients, ledger) if has_patients else found
    episodes = episodes_of(engine, rows["episodes"], single=export.one_episode, ledger=ledger)
    episodes = check_order(engine, episodes, ledger)
    with request.step("days counted, duplicates looked for"):
        children = {
            name: attach(engine, rows[name], episodes, name=name, ledger=ledger)
            for name in CHILDREN
        }
        last_seen = _last_seen(engine, children)
        if total(last_seen.undated):
            children["scores"] = refuse_undated(children["scores"], ledger)
        patients = _ages_and_deaths(engine, patients, episodes, last_seen, ledger)
        children["scores"] = resolve_duplicates(
            engine, children["scores"], crowded(last_seen), rule=export.duplicates, ledger=ledger
        )
    ledger.used |= {"patients": found["patients"], "episodes": rows["episodes"]}
    ledger.used |= {name: children[name] for name in ("levels", "scores")}
    children["scores"] = statuses(children["scores"], patients)
    children["levels"] = merge(
        engine, children["levels"], ["patient_id", "episode_id", "level"], name="levels",
        ledger=ledger,
    )  # fmt: skip
    children["fractures"] = _after_day0(children["fractures"], ledger)
    ledger.used |= {name: children[name] for name in ("events", "fractures")}
    episodes = _completed(episodes, children["levels"], last_seen, patients)
    whole = {"patients": patients, "episodes": kept_dates(episodes, keep=request.keep_dates)}
    named = people_of(names), stated_absences(staged, names)
    with request.step("tables put together"):
        derived = with_derived_columns({**whole, **children})
        tables = canonical_tables(engine, derived, staged, named)
    with request.step("accounts settled"):
        account = ledger.settle(export, staged, {n: count(tables[n]) for n in NOT_MERGED})
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
            *request.notes,
        ),
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
    engine: Any, found: Kinds, names: "ir.Table", ledger: Ledger, *, listed: bool
) -> "ir.Table":
    """Merged patients; where no file lists patients, everybody who appears anywhere."""
    if listed:
        return merge(engine, found["patients"], ["patient_id"], name="patients", ledger=ledger)
    everybody = people_of(names).select(patient_id="number")
    bare = empty(engine, "patients")
    everybody = everybody.left_join(bare, "patient_id").drop("patient_id_right")
    return store(engine, "patients", everybody)


def _of_known(found: Kinds, names: "ir.Table", patients: "ir.Table", ledger: Ledger) -> Kinds:
    """Rows of people whom the patients table does not have are refused."""
    strangers = names.anti_join(patients, names.person == patients.patient_id)
    if not count(strangers):
        return found
    known = patients.select("patient_id", is_known=True)
    kept = {"patients": found["patients"]}
    for name in ("episodes", *CHILDREN):
        rule = f"a row of {name} for a patient that the patients table does not have"
        marked = found[name].left_join(known, "patient_id").drop("patient_id_right")
        ledger.refuse_rows(marked, [Finding(marked.is_known.isnull(), rule, "patient_id")])
        kept[name] = marked.filter(marked.is_known.notnull()).drop("is_known")
    return kept


def _last_seen(engine: Any, children: Kinds) -> "ir.Table":
    """Per episode the last dated record from day 0 on (`last`), and the last sign of life (`alive`).

    In the same pass over the scores, how many there are, the flags that they raise, and how many
    have a date that is no day.
    """
    import ibis

    none: Any = ibis.null("int64")
    whole: Any = None
    for name in ("scores", "events", "fractures"):
        rows = children[name]
        alive = {"scores": lambda t: t.value.notnull(), "events": lambda t: t.type != "death"}
        said = alive[name](rows) if name in alive else ibis.literal(False)
        part: Any = rows.select(
            *EPISODE,
            last=ibis.ifelse(rows.day >= 0, rows.day, none),
            alive=ibis.ifelse(said, rows.day, none),
            flag=flag(engine, rows) if name == "scores" else none,
            undated=is_undated(rows) if name == "scores" else ibis.literal(False),
        )
        whole = part if whole is None else whole.union(part)
    seen = whole.group_by(list(EPISODE)).aggregate(
        last=whole["last"].max(),
        alive=whole.alive.max(),
        n_scores=whole.flag.count(),
        flags=raised(whole.flag),
        undated=whole.undated.sum(),
    )
    return store(engine, "seen", seen)


def _ages_and_deaths(
    engine: Any, patients: "ir.Table", episodes: "ir.Table", seen: "ir.Table", ledger: Ledger
) -> "ir.Table":
    """Age and death counted from day 0 of the first episode; impossible ones set aside."""
    import ibis

    dies = _is_told(patients, "death_date") or _is_told(patients, "death_day")
    if not dies and not _is_told(patients, "birth_date"):
        joined = patients.mutate(last=ibis.null("int64"))
    else:
        joined = store_told(engine, "patients", in_file_order(_dated(patients, episodes, seen)))
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
    return joined.mutate(
        age_years=ibis.ifelse(old, ibis.null("float64"), joined.age_years),
        death_day=ibis.ifelse(early | seen_after, ibis.null("int64"), joined.death_day),
    )


def _dated(patients: "ir.Table", episodes: "ir.Table", seen: "ir.Table") -> "ir.Table":
    """Patients with age and death counted from day 0, and the day of their last sign of life."""
    first = episodes.filter(episodes[NUMBER] == 1)
    first = first.select(day0=first[DAY0_DATE], first_patient=first.patient_id)
    joined = patients.left_join(first, patients.patient_id == first.first_patient)
    age = (joined.day0.delta(joined.birth_date, unit="day") / 365.25).floor()
    death = joined.death_date.delta(joined.day0, unit="day").cast("int64")
    joined = joined.mutate(
        age_years=joined.age_years.coalesce(age), death_day=joined.death_day.coalesce(death)
    )
    last = seen.group_by("patient_id").aggregate(last=seen.alive.max())
    last = last.select("last", last_patient=last.patient_id)
    joined = joined.left_join(last, joined.patient_id == last.last_patient)
    return joined.drop("day0", "first_patient", "last_patient")


def _is_told(table: "ir.Table", column: str) -> bool:
    return not is_blank(table.op(), column)


def _after_day0(fractures: "ir.Table", ledger: Ledger) -> "ir.Table":
    early = (fractures.day < 0).fill_null(False)
    finding = Finding(early, "a new fracture dated before day 0", "date", fractures.day)
    return fractures.filter(~early) if ledger.refuse_rows(fractures, [finding]) else fractures


def _completed(
    episodes: "ir.Table", levels: "ir.Table", seen: "ir.Table", patients: "ir.Table"
) -> "ir.Table":
    """Follow-up ends with death, else as recorded, else with the last dated record; levels counted."""
    import ibis

    treated = levels.filter(levels.treated.fill_null(True))
    n_levels = treated.group_by(list(EPISODE)).aggregate(n_here=treated.count())
    n_levels = n_levels.rename(level_patient="patient_id", level_episode="episode_id")
    last = seen.filter(seen.episode_id.notnull())
    last = last.select(*EPISODE, "last").rename(
        last_patient="patient_id", last_episode="episode_id"
    )
    deaths = patients.filter(patients.death_day.notnull())
    deaths = deaths.select("death_day", dead_patient=deaths.patient_id)
    whole = episodes
    for facts, kind in ((n_levels, "level"), (last, "last")):
        own = (f"{kind}_patient", f"{kind}_episode")
        same = [whole[c] == facts[t] for c, t in zip(EPISODE, own, strict=True)]
        whole = whole.left_join(facts, same)
    whole = whole.left_join(deaths, whole.patient_id == deaths.dead_patient)
    first = whole[NUMBER] == 1  # death counts from day 0 of the first episode
    death = ibis.ifelse(first, whole.death_day, ibis.null("int64"))
    end = ibis.least(whole.followup_end_day.coalesce(death, whole["last"]), death)
    cement = whole.treatment.isin(("VP", "KP", "VAI", "VA")).fill_null(False)
    counted = ibis.ifelse(cement, whole.n_here.cast("int64"), ibis.null("int64"))
    end = ibis.ifelse(death.isnull(), whole.followup_end_day.coalesce(whole["last"]), end)
    return whole.mutate(n_levels=whole.n_levels.coalesce(counted), followup_end_day=end)


def _unmapped(export: Export) -> Any:
    import pandas as pd

    lines = [
        dict(zip(("source_file", "column", "reason"), row, strict=True)) for row in export.unmapped
    ]
    return pd.DataFrame(lines, columns=["source_file", "column", "reason"], dtype=object)


__all__ = ["LINE", "Request", "assemble"]
