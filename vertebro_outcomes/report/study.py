"""What a report is about: the literature tables and the answers computed from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.results.reported_findings import ReportedFindings
from vertebro_outcomes.results.reproduction import Reproduction


@dataclass(frozen=True, eq=False)
class Study:
    """Handed to every section; sections read it and change nothing.

    `answers` holds questions and their answers in the order asked, `findings` the printed numbers that
    contradict each other, `reproduction` the pooled numbers of reviews
    computed again, `versions` package -> version, `registries` the analyses of registry exports, or
    why one could not be read, `claims` statements with their verdicts, `networks` all treatments against
    each other, `settings` what the user chose.
    """

    literature: Literature
    answers: tuple[tuple[Question, Answer], ...]
    findings: ReportedFindings
    reproduction: Reproduction
    versions: Mapping[str, str]
    registries: tuple[RegistryAnalysis | UnreadRegistry, ...] = ()
    claims: ExaminedClaims | None = None
    networks: tuple[tuple[Question, NetworkEffect], ...] = ()
    settings: ReportSettings = field(default_factory=ReportSettings)

    def about(self, wanted: Callable[[Question], bool]) -> list[tuple[Question, Answer]]:
        """The questions that are wanted, with their answers, in the order asked."""
        return [pair for pair in self.answers if wanted(pair[0])]
