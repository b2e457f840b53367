"""The literature read piece by piece: each row that could matter to a result, and no other, is noted."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, cast

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.loaders.literature.about import ABOUT_OUTCOMES, rows_about, studies_of
from vertebro_outcomes.report.steps import Read, Step
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES

SHEETS: Final = tuple(f.name for f in fields(Literature) if f.name != "printed")
PRINTED: Final = tuple(LITERATURE_TABLES)
_ROWS: Final = "rows"
_STUDY: Final = "study"


@dataclass(frozen=True)
class _View:
    """Outcomes and treatments that rows are about; as text it is part of the name of a step."""

    outcomes: tuple[str, ...]
    treatments: tuple[str, ...] | None

    def __str__(self) -> str:
        return json.dumps([self.outcomes, self.treatments])

    @classmethod
    def from_text(cls, text: str) -> "_View":
        outcomes, treatments = json.loads(text)
        return cls(tuple(outcomes), None if treatments is None else tuple(treatments))


def literature_step(name: str) -> Step | None:
    """The step behind `rows <sheet> <view>` and `study <study_id>`, None for any other name."""
    kind, _, rest = name.partition(" ")
    if kind == _STUDY:
        return Step(partial(_study, rest))
    if kind == _ROWS:
        sheet, _, text = rest.partition(" ")
        view = _View.from_text(text)
        return Step(partial(_studies, view) if sheet == "studies" else partial(_rows, sheet, view))
    return None


def _rows(sheet: str, view: _View, read: Read) -> pd.DataFrame:
    return rows_about(
        read(f"sheet {sheet}"), sheet, outcomes=view.outcomes, treatments=view.treatments
    )


def _studies(view: _View, read: Read) -> pd.DataFrame:
    tables = [read(f"{_ROWS} {sheet} {view}") for sheet in ABOUT_OUTCOMES]
    return studies_of(read("sheet studies"), tables)


def _study(study_id: str, read: Read) -> tuple[str, str] | None:
    """What a study is called and where it stands."""
    studies = read("sheet studies")
    rows = studies[studies["study_id"] == study_id]
    return None if rows.empty else (str(rows["label"].iloc[0]), str(rows["source_line"].iloc[0]))


class NotedStudies(Mapping[str, str]):
    """Study -> what it is called, or where it stands; every study that is looked up is noted."""

    def __init__(self, read: Read, *, place: int) -> None:
        self._read, self._place = read, place

    def __getitem__(self, study_id: str) -> str:
        found = self._read(f"{_STUDY} {study_id}")
        if found is None:
            raise KeyError(study_id)
        return cast(str, found[self._place])

    def __iter__(self) -> Iterator[str]:
        return iter(self._read("sheet studies")["study_id"])

    def __len__(self) -> int:
        return len(self._read("sheet studies"))


class _NotedSheets(Mapping[str, pd.DataFrame]):
    """The sheets as text, each read when it is looked at."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in PRINTED:
            raise KeyError(name)
        return cast(pd.DataFrame, self._read(f"printed {name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(PRINTED)

    def __len__(self) -> int:
        return len(PRINTED)


class _Noted(Literature):
    """A literature whose tables are read through a reader; of a part only the rows of that part."""

    def __init__(self, read: Read, view: _View | None = None) -> None:
        object.__setattr__(self, "_read", read)
        object.__setattr__(self, "_view", view)

    def __getattribute__(self, name: str) -> Any:
        own = partial(object.__getattribute__, self)
        if name == "printed":
            return _NotedSheets(own("_read"))
        if name in SHEETS:
            part = own("_view") is not None and name in (*ABOUT_OUTCOMES, "studies")
            return own("_read")(f"{_ROWS} {name} {own('_view')}" if part else f"sheet {name}")
        return own(name)

    def about(
        self, outcomes: Collection[str], *, treatments: Collection[str] | None = None
    ) -> Literature:
        view: _View | None = object.__getattribute__(self, "_view")
        assert view is None, "a part of a part"
        words = None if treatments is None else tuple(treatments)
        return _Noted(object.__getattribute__(self, "_read"), _View(tuple(outcomes), words))

    def label(self, study_id: str) -> str:
        read: Read = object.__getattribute__(self, "_read")
        return NotedStudies(read, place=0).get(study_id, "")


def noted_literature(read: Read) -> Literature:
    """A literature of which every table, or part of one, that is looked at is noted."""
    return _Noted(read)
