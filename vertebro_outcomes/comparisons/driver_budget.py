"""How much of a cohort may leave the engine that holds it, and the one place that refuses more.

Sufficient statistics (counts by pattern) and model matrices (one row per patient, the scores of one
outcome) reach Python. Measured: a comparison of a million patients holds 0.9 GiB at one day, 1.0 over
6.4 million scores, so that the largest one allowed needs about 15; patterns need a tenth.
"""

from typing import Final

from vertebro_outcomes.errors import InputError, Problem

MOST_ROWS: Final = 20_000_000  # patterns, patients, episodes, events or fractures
MOST_SCORES: Final = 150_000_000  # of one outcome: those of as many patients at seven visits
KEEP_FEWER: Final = (
    "keep fewer patients first (cohort.keep), such as those of a period or of two arms"
)


def refuse_beyond(n: int, most: int, *, where: str, what: str, function: str) -> None:
    """Refuse to fetch more than `most` rows.

    Raises
    ------
    InputError
        With what there is, and the limit.
    """
    if n > most:
        problem = Problem(
            where, f"{n:,} {what}", f"up to {most:,}, which the program holds at once"
        )
        raise InputError(f"{function}()", [problem], KEEP_FEWER)
