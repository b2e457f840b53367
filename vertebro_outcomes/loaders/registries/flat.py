"""Flat tables: CSV in any dialect, Excel, SAS, Stata, SPSS, Parquet, with one mapping file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.files import files_of, other_files, read_file
from vertebro_outcomes.loaders.format import Cell, Export, Feed, RegistryFormat
from vertebro_outcomes.loaders.mapping import RegistryMapping, feeds_of, read_mapping
from vertebro_outcomes.loaders.proposal_line import SURE
from vertebro_outcomes.loaders.proposed_mapping import ProposedMapping, propose_for
from vertebro_outcomes.loaders.same_numbers import refuse_other_people
from vertebro_outcomes.loaders.sources import Source, source_from_rows
from vertebro_outcomes.loaders.synthetic_mark import is_mark, is_marked
from vertebro_outcomes.loaders.words import ABSENCE_WORDS, word_for

PEOPLE_ALONE: Final = (
    "people alone: no column tells of a treatment, a fracture, a score or a complication, so there is no "
    "episode and no day 0, and a date of birth gives no age; put the tables that tell of them beside it"
)


def _recognises(path: Path) -> float:
    return 0.2 if files_of(path) else 0.0


def mapping_beside(path: Path) -> Path | None:
    """`mapping.toml` in the folder of the data, or `<file>.toml` beside a file."""
    folder = path if path.is_dir() else path.parent
    for name in (f"{path.stem}.toml", "mapping.toml"):
        if (folder / name).is_file():
            return folder / name
    return None


def read(engine: Any, path: Path, mapping: Any) -> Export:
    """The tables of a file or folder, and what the mapping says they mean."""
    files = files_of(path)
    sources = tuple(
        source
        for file in files
        for source in (
            read_file(engine, file, presumes=True)
            if file.stat().st_size
            else [_empty(engine, file)]
        )
    )
    if sources and not any(file.stat().st_size for file in files):
        problems = [Problem(file.name, "an empty file", "a table") for file in files]
        raise LoadError(path.name, problems, "export it again")
    if not sources:
        problem = Problem(path.name, "no table", "CSV, Excel, SAS, Stata, SPSS or Parquet")
        raise LoadError(path.name, [problem], "put the export into one folder")
    given = mapping if mapping is not None else mapping_beside(path)
    notes: tuple[str, ...] = ()
    reasons: dict[tuple[str, str], str] = {}
    rules = read_mapping(given) if given is not None else RegistryMapping(path.stem, {}, "none")
    if not rules.get("feed", []):
        proposal = propose_for(rules.name, sources)
        if not proposal.content["feed"]:
            raise _nothing_recognised(path, sources, proposal)
        content = {**proposal.content, **rules.content, "feed": proposal.content["feed"]}
        rules = RegistryMapping(rules.name, content, "proposed mapping")
        said = "columns were recognised by headers and values, not by a mapping file"
        notes = (said, *proposal.remarks)
        reasons = {(s, c): why for s, c, why in proposal.unmapped}
    feeds = with_declared_missing(feeds_of(rules, sources), sources)
    if notes:  # a mapping file may know better
        refuse_other_people(path.name, sources, feeds)
    alone = (PEOPLE_ALONE,) if {feed.table for feed in feeds} == {"patients"} else ()
    unread = tuple((name, "", "no reader for this file") for name in other_files(path))
    return Export(
        name=rules.name,
        sources=sources,
        feeds=feeds,
        synthetic=is_marked(path, sources, rules),
        unmapped=(*_unmapped(sources, feeds, reasons), *unread),
        notes=(*notes, *alone, *rules.get("notes", ())),
        duplicates=rules.get("duplicates", "first"),
        instruments=rules.instruments,
        one_episode=rules.get("episodes", "several") == "single",
        facts_repeat=True,
    )


def _empty(engine: Any, file: Path) -> Source:
    """A file without a byte beside files with tables: nothing is lost, and it is said."""
    said = (f"{file.name}: an empty file",)
    return source_from_rows(engine, file.name, header=[], rows=[], lines=[], notes=said)


def with_declared_missing(feeds: Sequence[Feed], sources: Sequence[Source]) -> tuple[Feed, ...]:
    """What the file itself declares missing is, for the reason its label or the mapping gives."""
    named = {source.name: source for source in sources}

    def told(cell: Cell, source: Source) -> Cell:
        texts = source.absent.get(cell.column, frozenset()) - set(cell.codes)
        labels = source.codes.get(cell.column, {})
        why = {text: word_for(labels.get(text, ""), ABSENCE_WORDS) for text in sorted(texts)}
        said = {**{text: word or "missing" for text, word in why.items()}, **cell.absent}
        return replace(cell, absent=said) if texts else cell

    return tuple(
        replace(f, cells={name: told(c, named[f.source]) for name, c in f.cells.items()})
        for f in feeds
    )


def _unmapped(
    sources: tuple[Source, ...], feeds: tuple[Feed, ...], reasons: dict[tuple[str, str], str]
) -> list[tuple[str, str, str]]:
    used = {(feed.source, cell.column) for feed in feeds for cell in feed.cells.values()}
    used |= {(feed.source, column) for feed in feeds for column in feed.where}
    return [
        (source.name, shown, reasons.get((source.name, shown), "not in the mapping"))
        for source in sources
        for column in source.columns
        for shown in (source.shown(column),)
        if (source.name, column) not in used and not is_mark(column)
    ]


def _nothing_recognised(
    path: Path, sources: tuple[Source, ...], proposal: ProposedMapping
) -> LoadError:
    named = {x.source for x in proposal.lines if x.target == "patient_id" and x.sure >= SURE}
    problems = [
        Problem(
            source.name,
            f"columns {', '.join(map(source.shown, source.columns[:8]))}"
            if source.columns
            else "no header, no row",
            "beside the patients a column that is understood"
            if source.name in named
            else "a column that names the patient",
        )
        for source in sources[:10]
    ]
    return LoadError(
        path.name, problems, "write a mapping file; `vertebro map PATH` shows what was recognised"
    )


_HEADER = (
    "Patientennummer;Geschlecht;Alter;Behandlung;OP-Datum;H\u00f6he;"
    "VAS pre (mm);VAS 3 Monate (mm);ODI 3 Monate"
)
SAMPLE = f"""\
{_HEADER}
N001;w;78;Kyphoplastie;03.02.2019;Th12;85;20;22,5
N002;m;81;konservativ;11.02.2019;L1, L3;70;;41,0
N003;w;69;Vertebroplastie;31.02.2019;LWK1;90;30;18,0
"""


def _sample(folder: Path) -> Path:
    """Three invented patients as a German spreadsheet program writes them; one date is impossible."""
    path = folder / "verlauf.csv"
    path.write_bytes(SAMPLE.encode("latin-1"))
    return path


FORMAT = RegistryFormat(
    name="flat",
    meaning="tables in files (CSV, Excel, SAS, Stata, SPSS, Parquet) with a mapping file",
    recognises=_recognises,
    read=read,
    sample=_sample,
)
