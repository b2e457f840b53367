"""OMOP CDM 5.3 and 5.4 from CSV, Parquet or an Ibis backend."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.codes import CodeSets, code_sets
from vertebro_outcomes.loaders.databases import is_database, read_database_table, tables_of
from vertebro_outcomes.loaders.files import files_of, other_files, read_file
from vertebro_outcomes.loaders.format import Export, RegistryFormat
from vertebro_outcomes.loaders.mapping import RegistryMapping, feeds_of, read_mapping
from vertebro_outcomes.loaders.omop_codes import Concepts, concepts_of
from vertebro_outcomes.loaders.omop_cohort import (
    day0s,
    members,
    with_birth_dates,
    with_fractures,
    with_members,
    with_scores,
    with_sex,
    with_site_names,
    with_treatments,
)
from vertebro_outcomes.loaders.omop_deaths import DEATH, DEATH_DATES, with_deaths
from vertebro_outcomes.loaders.omop_feeds import beside, standard_feeds
from vertebro_outcomes.loaders.omop_notes import notes_of, unlisted_scores
from vertebro_outcomes.loaders.omop_periods import with_last_period
from vertebro_outcomes.loaders.omop_scores import as_mapping, in_units, unlisted_codes
from vertebro_outcomes.loaders.omop_tables import (
    USED,
    eras_for_occurrences,
    one_of,
    table_name,
    tidied,
)
from vertebro_outcomes.loaders.proposed_mapping import ProposedMapping
from vertebro_outcomes.loaders.registries.flat import mapping_beside
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.synthetic_mark import is_marked

_NEEDED: Final = {
    "person": ("person_id", "year_of_birth"),
    "observation_period": ("person_id", "observation_period_end_date"),
    "condition_occurrence": ("person_id", "condition_start_date"),
    "procedure_occurrence": ("person_id", "procedure_date"),
    "measurement": ("person_id", "measurement_date", "value_as_number"),
    "observation": ("person_id", "observation_date", "value_as_number"),
    "death": ("person_id", "death_date"),
    "concept": ("concept_id", "concept_name", "concept_code"),
}


def _recognises(path: Path) -> float:
    if path.is_file():
        return 0.0
    names = {table_name(file) for file in files_of(path)}
    has_records = names & {"condition_occurrence", "procedure_occurrence", "observation_period"}
    has_records |= names & {"condition_era"}
    return 0.95 if "person" in names and has_records else 0.0


def read(engine: Any, path: Any, mapping: Any) -> Export:
    """The tables of the database that say who is in the cohort and what became of them."""
    database = is_database(path)
    given = mapping if mapping is not None or database else mapping_beside(path)
    name = "omop" if database else path.stem
    rules = read_mapping(given) if given is not None else RegistryMapping(name, {}, "")
    tables, others = _sorted_out(_found(engine, path), name)
    eras = eras_for_occurrences(tables, others)
    codes = code_sets(rules.get("codes", None))
    concepts = concepts_of(tables.get("concept"), codes)
    by_codes = rules.get("entry", "codes") == "codes"
    procedures = conditions = None
    if "procedure_occurrence" in tables:
        procedures = with_treatments(engine, tables["procedure_occurrence"], codes, concepts)
        tables["procedure_occurrence"] = procedures
    if "condition_occurrence" in tables:
        conditions = with_fractures(
            engine, tables["condition_occurrence"], procedures, codes, concepts
        )
        tables["condition_occurrence"] = conditions
    _add_observed(engine, tables, codes, concepts)
    _add_deaths(engine, tables, others)
    people = members(tables) if by_codes else tables["person"].data.select("person_id")
    if "care_site" in tables and "care_site_id" in tables["person"].columns:
        tables["person"] = with_site_names(engine, tables["person"], tables["care_site"])
    if people is not None:
        for name in ("observation_period", "measurement", "death", "person", *DEATH_DATES):
            if name in tables and (name != "condition_occurrence" or DEATH in tables[name].columns):
                tables[name] = with_members(engine, tables[name], people)
        tables["person"] = with_sex(engine, with_birth_dates(engine, tables["person"]))
        if "observation_period" in tables:
            period = tables["observation_period"]
            tables["observation_period"] = with_last_period(engine, period, day0s(tables))
    said = notes_of(tables, codes)
    unlisted = [] if people is None else unlisted_scores(tables)
    sources = (*tables.values(), *others.values())
    own = feeds_of(rules, sources) if rules.get("feed", []) else ()
    standard = standard_feeds(tables) if people is not None else ()
    feeds = (*beside(standard, own, by_codes=by_codes), *own)
    read_here = {feed.source for feed in own}
    return Export(
        name=rules.name,
        sources=sources,
        feeds=feeds,
        synthetic=is_marked(path, sources, rules),
        unmapped=(
            *(
                (s.name, "", "table is not read")
                for s in others.values()
                if s.name not in read_here
            ),
            *((file, "", "no reader for this file") for file in _unread(path)),
        ),
        notes=(*codes.notes, *eras, *said, *unlisted, *rules.get("notes", ())),
        duplicates=rules.get("duplicates", "first"),
        instruments=rules.instruments,
        one_episode=rules.get("episodes", "single") == "single",
        counts_levels=not standard or any(feed.table == "levels" for feed in own),
    )


def _add_observed(
    engine: Any, tables: dict[str, Source], codes: CodeSets, concepts: Concepts
) -> None:
    """Which measurements and observations are scores, and in which unit."""
    for kind in ("measurement", "observation"):
        if kind in tables:
            marked = with_scores(
                engine,
                tables[kind],
                kind,
                codes=codes,
                concepts=concepts,
                named=tables.get("concept"),
            )
            tables[kind] = in_units(engine, marked)


def _add_deaths(engine: Any, tables: dict[str, Source], others: dict[str, Source]) -> None:
    """Which rows beside the table of deaths tell of one; visits that tell of none are not read."""
    for name in DEATH_DATES:
        if name in tables:
            told = with_deaths(engine, tables[name], name, tables.get("concept"))
            if told is not None and DEATH_DATES[name] in told.columns:
                tables[name] = told
            elif name == "visit_occurrence":
                _put_aside(others, tables.pop(name))


def propose(engine: Any, path: Path) -> ProposedMapping:
    """No feed is needed: tables and columns are those of the CDM, people enter by codes."""
    tables, others = _sorted_out(_found(engine, path), path.stem)
    eras_for_occurrences(tables, others)
    _add_deaths(engine, tables, others)
    unread = tuple((source.name, "", "table is not read") for source in others.values())
    read_by_codes = tuple(f"read by codes: {source.name}" for source in tables.values())
    codes = code_sets()
    concepts = concepts_of(tables.get("concept"), codes)
    more: list[str] = []
    for kind in ("measurement", "observation"):
        if kind in tables:
            named = tables.get("concept")
            marked = with_scores(
                engine, tables[kind], kind, codes=codes, concepts=concepts, named=named
            )
            more += as_mapping(unlisted_codes(marked, kind, tables.get("concept")))
    content = {"name": path.stem, "feed": []}
    return ProposedMapping(path.stem, (), content, unread, (*REMARKS, *read_by_codes, *more))


REMARKS: Final = (
    "an OMOP database: people enter by procedure and diagnosis codes, scores by measurement codes",
    "own codes: [codes.scores], [codes.procedures], codes.fractures; further columns: [[feed]]",
)


def _found(engine: Any, path: Any) -> Iterator[tuple[str | None, Source]]:
    """(CDM table or none, source) for every file of a folder or table of a database."""
    if is_database(path):
        for name, spelled in tables_of(path, (*USED, "condition_era")):
            yield name, read_database_table(engine, path, spelled)
        return
    for file in files_of(path):
        if file.stat().st_size:
            for source in read_file(engine, file):
                yield table_name(file), source


def _unread(path: Any) -> list[str]:
    return [] if is_database(path) else other_files(path)


def _sorted_out(
    found: Iterator[tuple[str | None, Source]], where: str
) -> tuple[dict[str, Source], dict[str, Source]]:
    """Tables by CDM name, and sources we do not use; headers lower case, blanks gone."""
    candidates: dict[str, list[Source]] = {}
    others: dict[str, Source] = {}
    for name, source in found:
        if name in USED:
            candidates.setdefault(name, []).append(source)
        else:
            _put_aside(others, source)
    tables: dict[str, Source] = {}
    problems = []
    for name, sources in candidates.items():
        chosen = one_of(name, sources)
        if chosen is None:
            files = ", ".join(source.name for source in sources)
            problems.append(
                Problem(files, f"{len(sources)} files hold the table {name}", "one file")
            )
            continue
        for source in sources:
            if source is not chosen:
                _put_aside(others, source)
        tables[name] = tidied(chosen)
        missing = [c for c in _NEEDED.get(name, ()) if c not in tables[name].columns]
        if missing:
            lacks = f"no column {', '.join(missing)}"
            problems.append(Problem(chosen.name, lacks, f"the columns of CDM table {name}"))
    if "person" not in candidates:
        problems.append(Problem(where, "no table person", "an OMOP CDM with a person table"))
    if problems:
        raise LoadError(where, problems, _STEP)
    return tables, others


_STEP: Final = (
    "export whole CDM tables, 5.3 or 5.4, each in one file; of a database, open the schema that "
    "holds them"
)


def _put_aside(others: dict[str, Source], source: Source) -> None:
    """Files of one name in two folders are two."""
    n = sum(name == source.name or name.startswith(f"{source.name} (") for name in others)
    name = f"{source.name} ({n + 1})" if n else source.name
    others[name] = replace(source, name=name)


SAMPLE: Final[dict[str, str]] = {
    "PERSON.csv": """\
person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,care_site_id
-9007199254740993,8532,2041,2,,0,7
-9007199254740992,8507,2038,,,0,7
5,8507,2050,1,1,0,8
""",
    "observation_period.csv": """\
observation_period_id,person_id,observation_period_start_date,observation_period_end_date
1,-9007199254740993,2110-01-01,2114-01-01
2,-9007199254740992,2110-01-01,2113-06-01
3,5,2110-01-01,2113-06-01
""",
    "condition_occurrence.csv": """\
condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value
1,-9007199254740993,0,2112-01-20,S32.010A
2,-9007199254740993,0,2112-02-10,S32.010A
3,-9007199254740993,0,2112-09-01, M80.08XA
4,-9007199254740992,0,2112-05-01,M80.08XA
5,5,0,2112-05-01,J20.9
""",
    "procedure_occurrence.csv": """\
procedure_occurrence_id,person_id,procedure_concept_id,procedure_date,procedure_source_value
1,-9007199254740993,0,2112-02-03,22514
2,5,0,2112-02-03,99213
""",
    "measurement.csv": """\
measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,measurement_source_value
1,-9007199254740993,0,2112-02-01,9.0,72514-3
2,-9007199254740993,0,2112-03-05,2.0,72514-3
3,-9007199254740992,0,2112-05-01,12,72514-3
4,5,0,2112-05-01,3,72514-3
""",
    "death.csv": "person_id,death_date,death_type_concept_id\n-9007199254740992,2113-05-30,0\n",
    "note.csv": "note_id,person_id,note_date \n",
}


def _sample(folder: Path) -> Path:
    """Three invented people, shifted dates, negative ids; one is not in the cohort."""
    for name, text in SAMPLE.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


FORMAT = RegistryFormat(
    name="omop",
    meaning="OMOP CDM 5.3 or 5.4 as CSV, Parquet or database",
    recognises=_recognises,
    read=read,
    sample=_sample,
    propose=propose,
)
