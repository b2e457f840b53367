"""Two tables that number other people alike: joined by number they would make patients of two."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.cells import SEX
from vertebro_outcomes.loaders.date_texts import parse_date
from vertebro_outcomes.loaders.format import Cell, Feed
from vertebro_outcomes.loaders.sources import Source

# A wrong sex or birth date in one of two files concerns few people; other people differ in many.
LEAST_PEOPLE: Final = 2
LEAST_SHARE: Final = 0.15
AGE_APART_YEARS: Final = 12  # one patient may be treated again years later
_FACTS: Final = ("sex", "birth_date", "age_years")


def other_people(sources: Sequence[Source], feeds: Sequence[Feed]) -> tuple[str, int, int] | None:
    """(tables, people who contradict, people in several tables) where the tables are about others."""
    tables = {source.name: source for source in sources}
    own = {
        feed.source: feed.cells
        for feed in feeds
        if feed.table == "patients" and any(name in feed.cells for name in _FACTS)
    }
    if len(own) < 2:
        return None
    whole: Any = None
    for name, cells in own.items():
        part = _facts(tables[name], cells)
        whole = part if whole is None else whole.union(part)
    apart = (whole.age.max() - whole.age.min() > AGE_APART_YEARS).fill_null(False)
    unlike = (whole.sex.nunique() > 1) | (whole.birth.nunique() > 1) | apart
    people = whole.group_by("who").aggregate(
        files=whole.file.nunique(), unlike=unlike, first=whole.file.min(), last=whole.file.max()
    )
    people = people.filter(people.files > 1)
    counts = people.aggregate(
        shared=people.count(),
        unlike=people.unlike.sum(),
        first=people["first"].min(where=people.unlike),
        last=people["last"].max(where=people.unlike),
    )
    (fact,) = counts.to_pyarrow().to_pylist()
    n = fact["unlike"] or 0
    if n < LEAST_PEOPLE or n < LEAST_SHARE * fact["shared"]:
        return None
    return f"{fact['first']} and {fact['last']}", n, fact["shared"]


def refuse_other_people(place: str, sources: Sequence[Source], feeds: Sequence[Feed]) -> None:
    """Refuse tables of several registries that were put into one place."""
    found = other_people(sources, feeds)
    if found is None:
        return
    tables, n, shared = found
    said = (
        f"{n} of {shared} patient numbers that {tables} share have another sex, birth date or age "
        "in each"
    )
    problem = Problem(place, said, "tables that number the same people alike")
    step = "these are several registries: load each by its own path, or number the patients apart"
    raise LoadError(place, [problem], step)


def _facts(source: Source, cells: Mapping[str, Cell]) -> Any:
    """`who file sex birth age`, one row per person of a table: what it says first."""
    import ibis

    data = source.data
    who = data[cells["patient_id"].column].strip()
    sex: Any = ibis.null("string")
    birth: Any = ibis.null("date")
    age: Any = ibis.null("float64")
    if "sex" in cells:
        words = {**SEX, **{k.strip().lower(): v for k, v in cells["sex"].codes.items()}}
        plain = data[cells["sex"].column].strip().lower()
        sex = plain.cases(*words.items(), else_=ibis.null("string"))
    if "birth_date" in cells:
        cell = cells["birth_date"]
        birth = parse_date(data[cell.column].strip(), cell.dates or "iso", born=True)
    if "age_years" in cells:
        cell = cells["age_years"]
        age = data[cell.column].strip().replace(",", ".").try_cast("float64") * cell.factor
    rows = data.select(who=who, sex=sex, birth=birth, age=age)
    rows = rows.filter(rows.who.notnull())
    said = {name: rows[name].min() for name in ("sex", "birth", "age")}
    return rows.group_by("who").aggregate(**said).mutate(file=ibis.literal(source.name))
