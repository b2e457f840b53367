"""What a report is about, read piece by piece, so that it is known which piece a section needs."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.derived import Fit
from vertebro_outcomes.report.literature_steps import NotedStudies, noted_literature
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.pooled_effect import PooledEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.results.reported_findings import ReportedFindings
from vertebro_outcomes.results.reproduction import Reproduction

Pair = tuple[Question, Answer]


class Study:
    """Handed to every section; sections read it and change nothing.

    `read` gives a piece by its name: questions, `answer <id>`, `sheet <name>`, `printed <name>`,
    findings, reproduction, claims, networks, registries, device reports, settings, versions; and what
    `derived_step` makes of them. The narrowest piece that will do is the one to read: a section is
    built again when a piece that it read has changed.
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
    def labels(self) -> Mapping[str, str]:
        """What studies are called, by study_id."""
        return NotedStudies(self._read, place=0)

    @property
    def study_lines(self) -> Mapping[str, str]:
        """Where studies stand in studies.csv, by study_id."""
        return NotedStudies(self._read, place=1)

    @property
    def n_studies(self) -> int:
        """Publications in the sheet of studies."""
        return cast(int, self._read("number of studies"))

    @property
    def fits(self) -> tuple[Fit, ...]:
        """How every answer that has a result was computed."""
        return cast("tuple[Fit, ...]", self._read("fits"))

    @property
    def evidence_map(self) -> pd.DataFrame:
        """Trials against what they measured, see `evidence_map`."""
        return cast(pd.DataFrame, self._read("evidence map"))

    @property
    def beside_reviews(self) -> pd.DataFrame:
        """Our answers beside those of reviews, see `beside_published`."""
        return cast(pd.DataFrame, self._read("beside reviews"))

    @property
    def published_rates(self) -> Mapping[str, PooledEffect]:
        """Published rates of complications, by kind, that a registry is held against."""
        return cast("Mapping[str, PooledEffect]", self._read("published rates"))

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
    def unread_registries(self) -> tuple[str, ...]:
        """Names of registries that could not be read."""
        return cast("tuple[str, ...]", self._read("unread registries"))

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
