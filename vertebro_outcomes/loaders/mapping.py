"""The mapping file of a registry (TOML) -> feeds, or every line of it that cannot be meant.

name = "clinic"                     # synthetic = true for invented data
dates = "day_first"                 # iso, day_first, month_first, compact, excel, named_month
                                    # (04FEB2019), since_1960 (days as SAS counts them)
decimal = ","
duplicates = "first"                # of scores: first or last
episodes = "several"                # or single: one episode per patient over several rows
entry = "codes"                     # of OMOP: or mapping, then the feeds alone say who is in it
missing = { "-99" = "missing" }     # missing, not_asked, not_applicable, dead
instruments.headache = { low = 0, high = 100, better = "lower" }  # scores of your own

[[feed]]
source = "visits*.csv"              # a file, a sheet, or a glob
table = "scores"                    # one of vo.TABLES
where = { CNSR = "0" }              # only rows that say so
scales = { pain_vas = [0, 100] }    # recorded scale per instrument
[feed.columns]
patient_id = "PATNR"
date = "DATE"                       # dates become days once day 0 is known
instrument = { column = "SCALE", codes = { S = "pain_vas" } }
value = { column = "VAL", missing = { "-1" = "not_asked" } }
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import InputError, LoadError, Problem, list_some
from vertebro_outcomes.loaders.date_texts import ORDERS
from vertebro_outcomes.loaders.event_words import NO_EVENT, NONE_TOLD
from vertebro_outcomes.loaders.format import STAGED, Cell, Feed, usual_needs
from vertebro_outcomes.loaders.limits import read_toml
from vertebro_outcomes.loaders.mapping_shapes import shape_problems
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.event_types import ABSENCE, INSTRUMENTS, Instrument
from vertebro_outcomes.tables.instruments import declared_instruments
from vertebro_outcomes.tables.schema import Column

TOP_KEYS: Final = [
    "name",
    "synthetic",
    "dates",
    "decimal",
    "thousands",
    "duplicates",
    "episodes",
    "entry",
    "missing",
    "feed",
    "notes",
    "ignore",
    "codes",
    "instruments",
]
FEED_KEYS: Final = ["source", "table", "columns", "where", "needs", "scales"]
CELL_KEYS: Final = [
    "column",
    "constant",
    "codes",
    "missing",
    "dates",
    "decimal",
    "thousands",
    "factor",
    "unit",
    "scale",
]
# Recorded unit -> factor to the canonical unit, for the columns where it is unambiguous.
UNIT_FACTORS: Final[dict[tuple[str, str], float]] = {
    ("ml", "cc"): 1.0,
    ("ml", "l"): 1000.0,
    ("years", "months"): 1 / 12,
    ("days", "weeks"): 7.0,
    ("days", "months"): 30.4375,
    ("days", "years"): 365.25,
}
SCALE_UNITS: Final = {"mm": (0.0, 100.0), "cm": (0.0, 10.0), "percent": (0.0, 100.0)}
NEXT_STEP: Final = "correct the mapping file; `vertebro map PATH` proposes one"


@dataclass(frozen=True)
class RegistryMapping:
    """A mapping file as read; `name` is the registry."""

    name: str
    content: Mapping[str, Any] = field(default_factory=dict)
    file: str = "mapping"

    def get(self, key: str, default: Any) -> Any:
        return self.content.get(key, default)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Scores that the mapping declares beside the published ones."""
        return declared_instruments(self.get("instruments", None), call=self.file)


def read_mapping(mapping: "Path | str | Mapping[str, Any]") -> RegistryMapping:
    """A mapping from a TOML file, or from a dict of the same shape."""
    if isinstance(mapping, Mapping):
        content, file = dict(mapping), "mapping"
    else:
        path, file = Path(mapping), Path(mapping).name
        try:
            content = read_toml(path)
        except OSError as error:
            said = error.strerror or "cannot be read"
            raise LoadError(file, [Problem(file, said, "a TOML file")], NEXT_STEP) from None
        except ValueError as error:  # also what the decoders raise
            raise LoadError(file, [Problem(file, str(error), "valid TOML")], NEXT_STEP) from None
    problems = [
        Problem(f"{file}, {key}", "unknown key", _hint(key, TOP_KEYS))
        for key in content
        if key not in TOP_KEYS
    ]
    problems += shape_problems(content, file)
    problems += _choice(file, content, "dates", ORDERS)
    problems += _choice(file, content, "duplicates", ("first", "last"))
    problems += _choice(file, content, "episodes", ("single", "several"))
    problems += _choice(file, content, "entry", ("codes", "mapping"))
    try:
        if isinstance(content.get("instruments", {}), Mapping):
            declared_instruments(content.get("instruments"), call=file)
    except InputError as error:
        problems += [replace(found, where=f"{file}, {found.where}") for found in error.problems]
    if problems:
        raise LoadError(file, problems, NEXT_STEP)
    return RegistryMapping(str(content.get("name", Path(file).stem)), content, file)


def feeds_of(mapping: RegistryMapping, sources: Sequence[Source]) -> tuple[Feed, ...]:
    """The feeds a mapping declares, for the sources that are there."""
    problems: list[Problem] = []
    feeds: list[Feed] = []
    for place, entry in enumerate(mapping.get("feed", []), start=1):
        where = f"{mapping.file}, feed {place}"
        feeds += _feeds(mapping, entry, where, sources, problems)
    if not feeds and not problems:
        problems.append(Problem(mapping.file, "no [[feed]] section", "at least one"))
    if problems:
        raise LoadError(mapping.file, problems, NEXT_STEP)
    return tuple(feeds)


def _feeds(
    mapping: RegistryMapping,
    entry: Mapping[str, Any],
    where: str,
    sources: Sequence[Source],
    problems: list[Problem],
) -> list[Feed]:
    table, own = entry.get("table"), mapping.instruments
    start = len(problems)
    problems += [
        Problem(f"{where}, {key}", "unknown key", _hint(key, FEED_KEYS))
        for key in entry
        if key not in FEED_KEYS
    ]
    if table not in STAGED:
        problems.append(Problem(f"{where}, table", repr(table), ", ".join(STAGED)))
    pattern = str(entry.get("source", "*"))
    fitting = [source for source in sources if _fits(source.name, pattern)]
    if not fitting:
        names = list_some([source.name for source in sources], most=8)
        problems.append(Problem(f"{where}, source", repr(pattern), f"one of the files: {names}"))
    if len(problems) > start:
        return []
    cells = {
        name: cell
        for name, value in entry.get("columns", {}).items()
        if (cell := _cell(mapping, (str(table), name), value, where, problems)) is not None
    }
    scales = _scales(entry.get("scales", {}), {**INSTRUMENTS, **own}, where, problems)
    selected = bool(entry.get("where"))
    needs = tuple(entry.get("needs", usual_needs(str(table), cells, selected=selected)))
    made = []
    for source in fitting:
        wanted = [cell.column for cell in cells.values() if cell.constant is None]
        conditions = entry.get("where", {})
        missing = [c for c in [*wanted, *conditions] if c not in source.columns]
        problems += [
            Problem(f"{where}, source {source.name}", f"no column {c!r}", _hint(c, source.columns))
            for c in missing
        ]
        if not missing:
            allowed = {c: [v] if isinstance(v, str) else v for c, v in conditions.items()}
            made.append(Feed(source.name, str(table), cells, allowed, needs, scales, own))
    return made


def _fits(name: str, pattern: str) -> bool:
    """A file name, a sheet (`book.xlsx[Scores]`), or a glob; case does not matter."""
    low, wanted = name.lower(), pattern.lower()
    return low == wanted or fnmatch(low, wanted) or low.endswith(f"[{wanted}]")


def _cell(
    mapping: RegistryMapping,
    target: tuple[str, str],
    value: Any,
    where: str,
    problems: list[Problem],
) -> Cell | None:
    table, name = target
    place = f"{where}, columns.{name}"
    if name not in STAGED[table].names:
        problems.append(Problem(place, "unknown column", _hint(name, STAGED[table].names)))
        return None
    entry: Any = {"column": value} if isinstance(value, str) else value
    if not isinstance(entry, Mapping) or not ({"column", "constant"} & set(entry)):
        problems.append(Problem(place, repr(value)[:40], "a column name, or { column = ... }"))
        return None
    unknown = [key for key in entry if key not in CELL_KEYS]
    problems += [Problem(f"{place}.{k}", "unknown key", _hint(k, CELL_KEYS)) for k in unknown]
    absent = {**mapping.get("missing", {}), **entry.get("missing", {})}
    problems += [
        Problem(f"{place}, missing.{text}", repr(reason), ", ".join(ABSENCE))
        for text, reason in absent.items()
        if reason not in ABSENCE
    ]
    problems += _choice(place, entry, "dates", ORDERS)
    own = mapping.instruments if (table, name) == ("scores", "instrument") else {}
    problems += _code_problems(STAGED[table][name], entry, place, tuple(own))
    if (table, name) == ("events", "type") and "column" in entry:
        coded = {str(code).strip().lower() for code in entry.get("codes", {})}
        absent = {word: NO_EVENT for word in NONE_TOLD if word not in coded} | absent
    unit = str(entry.get("unit", ""))
    scale = entry.get("scale", SCALE_UNITS.get(unit) if table == "scores" else None)
    own_unit = STAGED[table][name].unit
    factor = UNIT_FACTORS.get((own_unit, unit), 1.0)
    if (
        unit
        and unit != own_unit
        and unit not in SCALE_UNITS
        and (own_unit, unit) not in UNIT_FACTORS
    ):
        problems.append(Problem(f"{place}.unit", repr(unit), own_unit or "no unit here"))
    return Cell(
        column=str(entry.get("column", "")),
        constant=None if entry.get("constant") is None else str(entry["constant"]),
        codes={
            **{own_name: own_name for own_name in own},
            **{str(k): _word(v) for k, v in entry.get("codes", {}).items()},
        },
        absent={str(k): str(v) for k, v in absent.items()},
        dates=str(entry.get("dates", mapping.get("dates", ""))),
        decimal=str(entry.get("decimal", mapping.get("decimal", ""))),
        thousands=str(entry.get("thousands", mapping.get("thousands", ""))),
        factor=float(entry.get("factor", factor)),
        scale=None if scale is None else (float(scale[0]), float(scale[1])),
    )


def _code_problems(
    column: Column, entry: Mapping[str, Any], place: str, own: Sequence[str]
) -> list[Problem]:
    """Codes must lead to words of the column; levels are read in any spelling."""
    if not column.codes or column.name == "level":
        return []
    return [
        Problem(f"{place}, codes.{code}", repr(word), ", ".join((*own, *column.codes[:20])))
        for code, word in entry.get("codes", {}).items()
        if word not in column.codes and word not in own
    ]


def _word(value: Any) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


def _scales(
    given: Mapping[str, Any], known: Mapping[str, Any], where: str, problems: list[Problem]
) -> dict[str, Any]:
    scales = {}
    for name, limits in given.items():
        if name not in known:
            problems.append(Problem(f"{where}, scales.{name}", "unknown", _hint(name, known)))
        elif not isinstance(limits, list) or len(limits) != 2 or limits[0] >= limits[1]:
            problems.append(Problem(f"{where}, scales.{name}", repr(limits), "[lowest, highest]"))
        else:
            scales[name] = (float(limits[0]), float(limits[1]))
    return scales


def _choice(
    where: str, entry: Mapping[str, Any], key: str, allowed: Sequence[str]
) -> list[Problem]:
    if key not in entry or entry[key] in allowed:
        return []
    return [Problem(f"{where}, {key}", repr(entry[key]), ", ".join(allowed))]


def _hint(name: str, allowed: Any) -> str:
    close = get_close_matches(str(name), list(allowed), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else list_some(list(allowed), most=12)
