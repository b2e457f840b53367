"""What a report is about, read piece by piece, so that it is known which piece a section needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, cast

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.results.reported_findings import ReportedFindings
from vertebro_outcomes.results.reproduction import Reproduction
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES

Pair = tuple[Question, Answer]
SHEETS: Final = tuple(f.name for f in fields(Literature) if f.name != "printed")
PRINTED: Final = tuple(LITERATURE_TABLES)


class Study:
    """Handed to every section; sections read it and change nothing.

    `read` gives a piece by its name: questions, `answer <id>`, `sheet <name>`, `printed <name>`,
    findings, reproduction, claims, networks, registries, device reports, settings, versions.
    """

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    @property
    def literature(self) -> Literature:
        """The literature tables; every table is read when it is looked at."""
        return noted_literature(self._read)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions in the order asked."""
        return tuple(self._read("questions"))

    @property
    def answers(self) -> tuple[Pair, ...]:
        """All questions with their answers, in the order asked."""
        return tuple(self.answered(question) for question in self.questions)

    def answered(self, question: Question) -> Pair:
        """One question with its answer."""
        return question, self._read(f"answer {question.id}")

    def about(self, wanted: Callable[[Question], bool]) -> list[Pair]:
        """The questions that are wanted, with their answers, in the order asked."""
        return [self.answered(question) for question in self.questions if wanted(question)]

    @property
    def findings(self) -> ReportedFindings:
        """Printed numbers that contradict each other."""
        return cast(ReportedFindings, self._read("findings"))

    @property
    def reproduction(self) -> Reproduction:
        """Pooled numbers of reviews computed again."""
        return cast(Reproduction, self._read("reproduction"))

    @property
    def registries(self) -> tuple[RegistryAnalysis | UnreadRegistry, ...]:
        """The analyses of registry exports, or why one could not be read."""
        return tuple(self._read("registries"))

    @property
    def device_reports(self) -> pd.DataFrame:
        """Spontaneous reports by event and product: `source event_type brand_name n_reports`."""
        return cast(pd.DataFrame, self._read("device reports"))

    @property
    def claims(self) -> ExaminedClaims | None:
        """Statements with their verdicts, None where there is no sheet of them."""
        return cast("ExaminedClaims | None", self._read("claims"))

    @property
    def networks(self) -> tuple[tuple[Question, NetworkEffect], ...]:
        """All treatments against each other."""
        return tuple(self._read("networks"))

    @property
    def settings(self) -> ReportSettings:
        """What the user chose."""
        return cast(ReportSettings, self._read("settings"))

    @property
    def versions(self) -> Mapping[str, str]:
        """Package -> version."""
        return cast("Mapping[str, str]", self._read("versions"))


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
    """A literature whose tables are read through a reader."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        object.__setattr__(self, "_read", read)

    def __getattribute__(self, name: str) -> Any:
        if name == "printed":
            return _NotedSheets(object.__getattribute__(self, "_read"))
        if name in SHEETS:
            return object.__getattribute__(self, "_read")(f"sheet {name}")
        return object.__getattribute__(self, name)


def noted_literature(read: Callable[[str], Any]) -> Literature:
    """A literature of which every table that is looked at is noted."""
    return _Noted(read)
