"""Proposed lines -> a mapping file: as text for people to correct, as content for `load`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.loaders.event_days import row_dates, time_of_any
from vertebro_outcomes.loaders.proposal import propose_lines
from vertebro_outcomes.loaders.proposal_line import SURE, Line, is_time_of_scores, with_one_time
from vertebro_outcomes.loaders.proposed_beside import lines_beside
from vertebro_outcomes.loaders.proposed_denials import where_it_happened
from vertebro_outcomes.loaders.proposed_episodes import comes_again, tells_parts, without_bare_lists
from vertebro_outcomes.loaders.proposed_events import flag_feeds, further_feeds
from vertebro_outcomes.loaders.proposed_leak_sites import asked_twice, leak_place_feeds
from vertebro_outcomes.loaders.proposed_leaks import leak_feeds
from vertebro_outcomes.loaders.proposed_levels import side_by_side
from vertebro_outcomes.loaders.proposed_site_scales import of_one_scale
from vertebro_outcomes.loaders.proposed_treatments import REMARK, with_first
from vertebro_outcomes.loaders.proposed_units import by_unit
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.synthetic_mark import is_mark
from vertebro_outcomes.loaders.value_shapes import long_scales

_FEED_KEYS: Final = ("where", "needs", "scales")
# A table is proposed only where these columns of it were recognised (any one of the second group).
LEAST: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "patients": (),
    "episodes": (("treatment", "treatment_date", "fracture_date", "presentation_date",
                  "enrolment_date", "episode_id", "fracture_age_days"),),
    "levels": (("level",),),
    "scores": (("value",), ("instrument",)),
    "events": (("type",),),
    "fractures": (("date", "day", "level"),),
}  # fmt: skip


@dataclass(frozen=True)
class ProposedMapping:
    """What `vertebro map` shows: `lines` with confidence, and the same as a TOML file."""

    name: str
    lines: tuple[Line, ...]
    content: Mapping[str, Any]  # sure lines only
    unmapped: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...] = ()
    beside: tuple[Line, ...] = ()  # of columns that stand side by side for several of a kind

    def to_frame(self) -> pd.DataFrame:
        """`source column table target sure why`, unmapped columns last."""
        titles = ["source", "column", "table", "target", "sure", "why"]
        known = [
            {"source": x.source, "column": x.column, "table": x.table, "target": x.target,
             "sure": x.sure, "why": x.why}
            for x in (*self.lines, *self.beside)
        ]  # fmt: skip
        rest = [
            {"source": s, "column": c, "table": "", "target": "", "sure": 0.0, "why": why}
            for s, c, why in self.unmapped
        ]
        return pd.DataFrame([*known, *rest], columns=titles)

    def __str__(self) -> str:
        """The mapping file; every line says how sure it is, doubtful lines are commented out."""
        return toml_text(self)


def propose_for(
    name: str, sources: Sequence[Source], *, record_column: bool = False
) -> ProposedMapping:
    """The proposal for sources that are already read."""
    lines = tuple(
        line for source in sources for line in propose_lines(source, record_column=record_column)
    )
    read, denied = [], []
    for source in sources:
        own, mixed = of_one_scale(source, _feeds(source, lines, by_event=record_column))
        own, changed = where_it_happened(source, own)
        read += own
        denied += [*mixed, *changed]
    feeds = without_bare_lists(read)
    used = {(f["source"], c.get("column")) for f in feeds for c in f["columns"].values()}
    used |= {(f["source"], column) for f in feeds for column in f.get("where", {})}
    unmapped = []
    for source in sources:
        for column in source.columns:
            if (source.name, column) not in used and not is_mark(column):
                seems = [x for x in lines if (x.source, x.column) == (source.name, column)]
                why = _reason(seems[0]) if seems else "not recognised"
                unmapped.append((source.name, source.shown(column), why))
    beside = tuple(line for source in sources for line in lines_beside(source, feeds, lines))
    content: dict[str, Any] = {"name": name, "feed": feeds}
    if not record_column and tells_parts(sources, feeds):
        content["episodes"] = "single"
    if record_column and comes_again(sources, feeds):
        content["episodes"] = "several"
    several = any(line.table == "episodes" for line in beside)
    remarks = (*((REMARK,) if several else ()), *denied)
    return ProposedMapping(name, lines, content, tuple(unmapped), remarks, beside)


def _reason(line: Line) -> str:
    """Why a column that seemed to be something is not read."""
    if " is read as " in line.why:
        return line.why
    return f"perhaps {line.table}.{line.target}: {line.why}"


def _feeds(source: Source, lines: Sequence[Line], *, by_event: bool) -> list[dict[str, Any]]:
    sure = [line for line in lines if line.source == source.name and line.sure >= SURE]
    by_form = _dates_by_form(source, sure)
    sure = with_one_time(sure)
    key = next((line for line in sure if line.target == "patient_id"), None)
    if key is None:
        return []
    episode = next((line for line in sure if line.target == "episode_id"), None)
    keys: dict[str, Any] = {"patient_id": dict(key.entry)}
    if episode is not None:
        keys["episode_id"] = dict(episode.entry)
    feeds = []
    dates = row_dates(lines, source, by_event=by_event)
    for table, least in LEAST.items():
        own: dict[str, Any] = {
            line.target: dict(line.entry)
            for line in sure
            if line.table == table and not line.instrument and line.target != "patient_id"
        }
        if not all(any(name in own for name in group) for group in least):
            continue
        if table == "patients" and not own and not _is_patient_list(sure):
            continue
        if table == "scores" and _has_doubtful_time(source, lines, own):
            continue
        own_keys = {"patient_id": keys["patient_id"]} if table == "patients" else keys
        feed: dict[str, Any] = {
            "source": source.name,
            "table": table,
            "columns": {**own_keys, **own},
        }
        if table == "events" and not {"date", "day"} & own.keys():
            when = time_of_any(source, own["type"], dates)
            feed |= {"columns": {**feed["columns"], **when}, "needs": ["type"]} if when else {}
        if table == "scores":
            feed["scales"] = long_scales(
                source, own["instrument"]["column"], own["value"]["column"],
                own["instrument"].get("codes", {}),
            )  # fmt: skip
        feeds += by_unit(source, feed) if table == "scores" else [feed]
        feeds += further_feeds(source, feed) if table == "events" else []
    times = {
        line.target: dict(line.entry)
        for line in sure
        if line.table == "scores" and line.target in ("date", "day")
    }
    if "date" in times:  # the date itself says more than the name of the visit
        times.pop("day", None)
    wide = [line for line in sure if line.instrument and (line.day is not None or times)]
    feeds += [
        _score_feed(source, line, keys, by_form.get(source.forms.get(line.column), times))
        for line in wide
    ]
    taken = {cell["column"] for f in feeds for cell in f["columns"].values() if "column" in cell}
    beside = side_by_side(source, keys, taken)
    listed = [feed for feed in beside if feed["table"] == "events"]
    beside += [more for feed in listed for more in further_feeds(source, feed)]
    leaks = leak_feeds(source, [feed for feed in beside if feed["table"] == "levels"], dates)
    levels = [feed for feed in feeds if feed["table"] == "levels"]
    leaks += leak_place_feeds(source, levels, lines, keys, dates)
    taken |= {column for feed in leaks for column in feed["where"]}
    twice = asked_twice(source, lines)
    return [*with_first(feeds, beside), *leaks, *flag_feeds(source, keys, taken, dates, twice)]


def _dates_by_form(source: Source, sure: Sequence[Line]) -> dict[str | None, dict[str, Any]]:
    """The date of the scores on each form; scores on another have that of the file."""
    dates = [x for x in sure if is_time_of_scores(x) and x.target == "date"]
    return {source.forms.get(line.column): {"date": dict(line.entry)} for line in dates}


def _has_doubtful_time(source: Source, lines: Sequence[Line], own: Mapping[str, Any]) -> bool:
    """Scores beside a time that is not understood: without it they would all be of one day."""
    if "date" in own or "day" in own:
        return False
    times = {"date", "day"}
    return any(x.source == source.name and x.table == "scores" and x.target in times for x in lines)


def event_times(lines: Sequence[Line], source: str) -> dict[str, Any]:
    """The date or day of complications, where a column of its own holds it."""
    return {
        line.target: dict(line.entry)
        for line in lines
        if (line.source, line.table) == (source, "events")
        and line.target in ("date", "day")
        and line.sure >= SURE
    }


def _is_patient_list(sure: Sequence[Line]) -> bool:
    """A file of scores or events repeats patients without describing them."""
    return not any(line.table in ("scores", "events", "fractures", "levels") for line in sure)


def _score_feed(
    source: Source, line: Line, keys: Mapping[str, Any], times: Mapping[str, Any]
) -> dict[str, Any]:
    when = {"day": {"constant": str(line.day)}} if line.day is not None else times
    return {
        "source": source.name,
        "table": "scores",
        "columns": {
            **keys,
            "instrument": {"constant": line.instrument},
            **when,
            "value": dict(line.entry),
        },
    }


def toml_text(proposal: ProposedMapping) -> str:
    """TOML with a comment per line; what is below the threshold stands in comments."""
    told = (*proposal.lines, *proposal.beside)
    sure_of = {(x.source, x.table, x.target, x.column): x for x in told}
    out = [f"name = {json.dumps(proposal.name)}"]
    if "episodes" in proposal.content:
        out.append(f"episodes = {_value(proposal.content['episodes'])}  # of each patient")
    out.append("")
    out += [f"# {remark}" for remark in proposal.remarks]
    for feed in proposal.content["feed"]:
        out += ["[[feed]]", f"source = {_value(feed['source'])}", f'table = "{feed["table"]}"']
        out += [f"{key} = {_value(feed[key])}" for key in _FEED_KEYS if _is_told(feed, key)]
        out.append("[feed.columns]")
        for target, entry in feed["columns"].items():
            line = sure_of.get((feed["source"], feed["table"], target, entry.get("column", "")))
            note = f"  # {line.sure:.0%}: {line.why}" if line else ""
            out.append(f"{target} = {_value(entry)}{note}")
        out.append("")
    out += [f"# not mapped: {s}: {c} ({why})" for s, c, why in proposal.unmapped]
    return "\n".join(out) + "\n"


def _is_told(feed: Mapping[str, Any], key: str) -> bool:
    """That nothing is needed is said: by default something is."""
    return bool(feed.get(key)) or (key == "needs" and key in feed)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
