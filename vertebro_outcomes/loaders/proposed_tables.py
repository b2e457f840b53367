"""Which table a column belongs to, by what else its file tells: a date, a level, an amount of cement."""

import re
from typing import Final

from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.instrument_words import instrument_in
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.proposed_levels import has_siblings
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import squeeze

_NEW_FRACTURES: Final = re.compile("fra[ck]tur|fractuur|frattur|refract|newfx")
SURELY_NEW: Final = re.compile(
    r"newfx|refra|(new|neue|second|subsequent|incident|next|folge|anschluss|adjacent|nouvelle|nueva"
    r"|nuova|nieuwe|nova|nye?)s?_?(\w*_)?(fra[ck]tur|fractuur|frattur|fx|vcf)"
)


def meant_by(source: Source, column: str) -> tuple[str, str] | None:
    """What a column is by its header, else by its label."""
    return meaning_of(column) or meaning_of(source.labels.get(column, ""))


def of_new_fracture(source: Source, key: tuple[str, str]) -> tuple[str, str]:
    """In a file of new fractures without a treatment the date of fracture is that of a new one."""
    named = SURELY_NEW.search(squeeze(_sheet(source.name)))
    if key != ("episodes", "fracture_date") or not named:
        return key
    present = {meant_by(source, column) for column in source.columns}
    treated = present & {("episodes", "treatment"), ("episodes", "treatment_date")}
    return key if treated else ("fractures", "date")


def at_home(source: Source, table: str, target: str, column: str) -> str:
    """`date` and `level` mean what the other columns of the file say they mean."""
    present = {meant_by(source, column) for column in source.columns}
    names = {key[1] for key in present if key}
    if target == "cement_ml" and ("levels", "level") in present:
        told = _told_with(source, column)
        apart = "treatment" not in names & told or has_siblings(source, column)
        apart = "level" in told and (apart or one_row_per_level(source))
        return "levels" if apart else table
    if target in ("date", "day", "symptomatic", "level", "detected_by") and table in (
        "scores",
        "events",
        "levels",
    ):
        of_levels = target == "level" and (
            any(key[0] == "levels" and key[1] != "level" for key in present if key)
            or bool({"treatment", "treatment_date"} & names)  # the level that was treated
        )
        dated = target in ("date", "day") and ("events", target) in present
        scored = any(instrument_in(column) for column in source.columns)
        if ("events", "type") in present and not (
            ("scores", "value") in present or dated or of_levels or (scored and target != "level")
        ):
            return "events"
        of_index = any(
            key == ("episodes", "fracture_date") == of_new_fracture(source, key)
            for key in present if key
        )  # fmt: skip
        is_of_scores = scored or {("scores", "value"), ("scores", "instrument")} & present
        if target in ("symptomatic", "detected_by") or (
            target in ("level", "date", "day")
            and _NEW_FRACTURES.search(squeeze(_sheet(source.name)))
            and not ("treatment" in names or is_of_scores or of_levels or of_index)
        ):
            return "fractures"
    return table


def _sheet(name: str) -> str:
    """The name of the sheet; that of its workbook says nothing of it: `spine_fractures.xlsx[Visits]`."""
    return name.rsplit("[", 1)[-1]


def sheet_day(name: str) -> int | None:
    """The day that a sheet of a workbook is named after: `3 Monate`. The name of a file is no sign."""
    return timepoint_days(_sheet(name).removesuffix("]")) if name.endswith("]") else None


def _told_with(source: Source, column: str) -> set[str]:
    """Which of vertebra and treatment are told in rows with something in a column; both if it is blank."""
    wanted = {"level": ("levels", "level"), "treatment": ("episodes", "treatment")}
    places = {
        name: next((c for c in source.columns if meant_by(source, c) == meant), None)
        for name, meant in wanted.items()
    }
    data = source.cells
    rows = data.filter(data[column].notnull())
    counts = {name: rows[place].count() for name, place in places.items() if place is not None}
    told = rows.aggregate(rows=rows.count(), **counts).to_pyarrow().to_pylist()[0]
    return {name for name in counts if told[name] or not told["rows"]}


def one_row_per_level(source: Source) -> bool:
    """Whether people have a row for each of their levels."""
    wanted = (("patients", "patient_id"), ("levels", "level"))
    found = [
        next((c for c in source.columns if meant_by(source, c) == key), None) for key in wanted
    ]
    if None in found:
        return False
    pairs = source.cells.select(who=source.cells[found[0]], level=source.cells[found[1]]).distinct()
    pairs = pairs.filter(pairs.who.notnull() & pairs.level.notnull())
    counts = pairs.aggregate(n=pairs.count(), people=pairs.who.nunique()).to_pyarrow()
    return bool(counts["n"][0].as_py() > counts["people"][0].as_py())
