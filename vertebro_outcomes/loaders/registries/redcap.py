"""REDCap flat export with its data dictionary: longitudinal, repeating, codes or labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.event_days import row_dates
from vertebro_outcomes.loaders.files import files_of
from vertebro_outcomes.loaders.format import Export, Feed, RegistryFormat
from vertebro_outcomes.loaders.mapping import RegistryMapping, feeds_of, read_mapping
from vertebro_outcomes.loaders.proposed_mapping import ProposedMapping, event_times, propose_for
from vertebro_outcomes.loaders.redcap_boxes import box_feeds
from vertebro_outcomes.loaders.redcap_dictionary import Field, is_box, is_dictionary
from vertebro_outcomes.loaders.redcap_project import HEADS, open_project
from vertebro_outcomes.loaders.redcap_rows import (
    answered_checkboxes,
    blanks_with_reasons,
    checkbox_choices,
    with_missing_codes,
)
from vertebro_outcomes.loaders.registries.flat import mapping_beside
from vertebro_outcomes.loaders.same_numbers import refuse_other_people
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.synthetic_mark import is_mark, is_marked

_STRUCTURE: Final = re.compile(r"^redcap_|_complete$|_timestamp$|^Complete\?|^Survey Timestamp")


def _recognises(path: Path) -> float:
    best = 0.0
    for file in files_of(path):
        if file.suffix.lower() not in (".csv", ".txt", ".tsv"):
            continue
        with file.open("rb") as stream:
            head = stream.read(200_000).decode("utf-8-sig", errors="replace").split("\n", 1)[0]
        titles = [title.strip().strip('"') for title in re.split(r"[,;\t]", head.strip())]
        if any(title in HEADS for title in titles) or is_dictionary(titles):
            best = max(best, 0.9)
        elif sum(title.endswith("_complete") for title in titles) and titles[0].endswith("id"):
            best = max(best, 0.7)
        elif "Event Name" in titles or "Repeat Instrument" in titles:
            best = max(best, 0.6)
    return best


def read(engine: Any, path: Path, mapping: Any) -> Export:
    """The records of a project, its fields, and what they mean."""
    sources, fields, dictionaries = open_project(engine, path)
    if not sources:
        problem = Problem(path.name, "no table of records", "a flat export in CSV")
        raise LoadError(path.name, [problem], "export the data as raw CSV beside its dictionary")
    given = mapping if mapping is not None else mapping_beside(path)
    sources = [answered_checkboxes(engine, source, fields) for source in sources]
    own = [s for s in sources if s.columns]
    notes: list[str] = []
    if not fields:
        notes.append("no data dictionary beside the export: codes are read as they stand")
    reasons: dict[tuple[str, str], str] = {}
    rules = RegistryMapping(path.stem, {}, "no mapping")
    feeds: tuple[Feed, ...] = ()
    episodes = "single"
    if given is not None:
        rules = read_mapping(given)
    if rules.get("feed", []):
        feeds = feeds_of(rules, own)
    elif own:
        feeds, reasons, episodes = _proposed(rules.name, own, fields)
        refuse_other_people(path.name, own, feeds)
        notes.append("fields were recognised by names, labels and choices, not by a mapping file")
    feeds = with_missing_codes(feeds, fields)
    made = [blanks_with_reasons(engine, source, _of(feeds, source), fields) for source in sources]
    return Export(
        name=rules.name,
        sources=(*made, *dictionaries),
        feeds=feeds,
        synthetic=is_marked(path, own, rules),
        unmapped=tuple(_unmapped(sources, feeds, fields, reasons)),
        notes=(*notes, *rules.get("notes", ())),
        duplicates=rules.get("duplicates", "first"),
        instruments=rules.instruments,
        one_episode=rules.get("episodes", episodes) == "single",
    )


def _proposed(
    name: str, sources: Sequence[Source], fields: Mapping[str, Field]
) -> tuple[tuple[Feed, ...], dict[tuple[str, str], str], str]:
    """Feeds from names, labels and choices, what is not read, and how many episodes people have."""
    proposal = _proposal(name, sources, fields)
    rules = RegistryMapping(name, proposal.content, "proposed mapping")
    feeds = feeds_of(rules, sources) if proposal.content["feed"] else ()
    reasons = {(s, c): why for s, c, why in proposal.unmapped}
    return feeds, reasons, str(proposal.content.get("episodes", "single"))


def _proposal(name: str, sources: Sequence[Source], fields: Mapping[str, Field]) -> ProposedMapping:
    """What the fields seem to be; the first column is the record, boxes become events and levels."""
    proposal = propose_for(name, sources, record_column=True)
    extra: list[dict[str, Any]] = []
    left: dict[tuple[str, str], str] = {}
    for source in sources:
        dates = row_dates(proposal.lines, source, by_event=True)
        own = event_times(proposal.lines, source.name)
        told, untold = box_feeds(source, fields, dates, own)
        extra += told
        left |= untold
    boxes = {(s.name, column) for s in sources for _, column, _, _ in checkbox_choices(s, fields)}
    kept = [  # a box is read by its label: that of `leak___0` may be `none`
        feed
        for feed in proposal.content["feed"]
        if not boxes & {(feed["source"], column) for column in feed.get("where", ())}
    ]
    used = {(feed["source"], column) for feed in extra for column in feed["where"]}
    used |= {
        (f["source"], c["column"]) for f in extra for c in f["columns"].values() if "column" in c
    }
    return replace(
        proposal,
        content={**proposal.content, "feed": [*kept, *extra]},
        unmapped=tuple(
            (s, c, left.get((s, c), why))
            for s, c, why in proposal.unmapped
            if (s, c) not in used and not _STRUCTURE.search(c)
        ),
    )


def propose(engine: Any, path: Path) -> ProposedMapping:
    """The proposal for a project, with the labels and choices of its dictionary."""
    sources, fields, _ = open_project(engine, path)
    return _proposal(path.stem, [s for s in sources if s.columns], fields)


def _of(feeds: Sequence[Feed], source: Source) -> list[Feed]:
    return [feed for feed in feeds if feed.source == source.name]


def _unmapped(
    sources: Sequence[Source],
    feeds: Sequence[Feed],
    fields: Mapping[str, Field],
    reasons: Mapping[tuple[str, str], str],
) -> list[tuple[str, str, str]]:
    used = {(feed.source, cell.column) for feed in feeds for cell in feed.cells.values()}
    used |= {(feed.source, column) for feed in feeds for column in feed.where}
    said = []
    for source in sources:
        for column in source.columns:
            if (source.name, column) in used or _STRUCTURE.search(column) or is_mark(column):
                continue
            kind = fields[column].type if column in fields else ""
            free = kind in ("notes", "file") or (kind == "text" and not fields[column].validation)
            why = "free text is dropped unless mapped" if free else ""
            if is_box(column) and not fields:
                why = "a box to tick: only the data dictionary says for what"
            said.append(
                (source.name, column, why or reasons.get((source.name, column), "not mapped"))
            )
    return said


SAMPLE_DICTIONARY = """\
"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)","Required Field?","Custom Alignment","Question Number (surveys only)","Matrix Group Name","Matrix Ranking?","Field Annotation"
record_id,base,,text,"Record ID",,,,,,,,,,,,,
sex,base,,radio,Sex,"1, Female|2, Male",,,,,,,,,,,,
age,base,,text,Age,,,integer,0,120,,,,,,,,
treatment,base,,radio,"Treatment group","1, Vertebroplasty, percutaneous | 2, Kyphoplasty | 9, Conservative",,,,,,,,,,,,
procedure_date,base,,text,"Date of procedure",,,date_dmy,,,,,,,,,,
compl,visit,,checkbox,Complications,"1, Cement leakage | -1, None | inf, Infection",,,,,,,,,,,,
visit_date,visit,,text,"Visit date",,,date_dmy,,,,,,,,,,
vas,visit,,text,"Back pain VAS",,,number_comma_decimal,0,10,,,,,,,,
"""  # noqa: E501
SAMPLE_RECORDS = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,sex,age,treatment,procedure_date,base_complete,compl___1,compl____1,compl___inf,visit_date,vas,visit_complete
331-1,baseline_arm_1,,,alpha,1,78,1,2019-02-03,2,1,0,0,2019-02-03,"8,5",2
331-1,month_3_arm_1,,,alpha,,,,,,0,1,0,2019-05-05,"2,0",2
331-2,baseline_arm_1,,,beta,2,81,9,2019-03-01,2,0,0,0,,,0
331-2,month_3_arm_1,,,beta,,,,,,0,0,0,2019-06-01,UNK,2
"""


def _sample(folder: Path) -> Path:
    """Two invented patients, longitudinal, with the dictionary in human spelling."""
    (folder / "project_DATA.csv").write_text("\ufeff" + SAMPLE_RECORDS, encoding="utf-8")
    (folder / "project_DataDictionary.csv").write_text(SAMPLE_DICTIONARY, encoding="utf-8")
    return folder


FORMAT = RegistryFormat(
    name="redcap",
    meaning="REDCap flat export (CSV) with its data dictionary",
    recognises=_recognises,
    read=read,
    sample=_sample,
    propose=propose,
)
