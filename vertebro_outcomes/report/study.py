"""What a report is about: the literature tables and the answers computed from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.question_list import WINDOWS, Question
from vertebro_outcomes.results.answer import Answer


@dataclass(frozen=True, eq=False)
class Study:
    """Handed to every section; sections read it and change nothing.

    `answers` holds questions and their answers in the order asked, `versions` package -> version.
    """

    literature: Literature
    answers: tuple[tuple[Question, Answer], ...]
    versions: Mapping[str, str]

    def about(self, *stems: str) -> list[tuple[Question, Answer]]:
        """Questions whose id is one of the stems, or one of them with a time: `pain_vp_sham_1m`."""
        times = ("", *(f"_{time}" for time in WINDOWS))
        wanted = {stem: i for i, stem in enumerate(stem + time for stem in stems for time in times)}
        found = [pair for pair in self.answers if pair[0].id in wanted]
        return sorted(found, key=lambda pair: wanted[pair[0].id])
