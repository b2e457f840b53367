"""Scores beside a date: whose day it is that the date tells, where titles name moments of their own."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from vertebro_outcomes.loaders.instrument_words import is_bare
from vertebro_outcomes.loaders.named_times import is_doubtful, without_recall
from vertebro_outcomes.loaders.proposal_line import SURE, Line
from vertebro_outcomes.loaders.words import squeeze

# A day that no number names; a date beside it may be that of another visit.
_MOMENT: Final = re.compile(
    r"(^|_)(post\w*|after|nach|apres|despues|tras|dopo|efter|etter|na_op\w*|na_de_op\w*|discharge|entlass\w*"
    r"|sortie|alta|dimission\w*|ontslag|utskriv\w*|udskriv\w*|last|final|latest|letzt\w*|dernier\w*|ultim\w*"
    r"|laatste|siste|sidste|senaste)(_|$)"
)
_OF_TWELVE: Final = re.compile(r"(?<![\d/])(\d{1,2})/(7|12|52)(?![\d/])")
_UNITS: Final = {"7": "days", "12": "months", "52": "weeks"}
SEVERAL: Final = "{}, as are other columns, and none of them says when: name a time in each title"


def names_moment(title: str) -> bool:
    """Whether a title without a day of its own names another moment than a visit: `VAS post`."""
    plain = without_recall(squeeze(title))
    return bool(_MOMENT.search(plain) or _OF_TWELVE.search(title)) or is_doubtful(title)


def nothing_says_when(name: str, title: str) -> str:
    """Why a score is not read; `3/12` may be meant as three of twelve months."""
    said = f"{name}, but nothing says when"
    if found := _OF_TWELVE.search(title):
        meant = f"{int(found[1])} {_UNITS[found[2]]}"
        return f"{said}: {found[0]} may mean {meant}; write that into the title or a mapping file"
    if is_doubtful(title):
        return f"{said}: what the title names may be several times; name one"
    return said


def without_rivals(lines: Sequence[Line]) -> list[Line]:
    """Of several scores of one kind at the visit of the row the one with no further word, else none."""
    alike: dict[str, list[Line]] = {}
    for line in lines:
        if line.instrument and line.day is None and line.sure >= SURE:
            alike.setdefault(line.instrument, []).append(line)
    why: dict[str, str] = {}
    for name, rivals in alike.items():
        plain = [line for line in rivals if is_bare(line.column)]
        if len(rivals) > 1 and len(plain) == 1:
            said = f"{plain[0].column!r} is read as scores.value"
            why |= {line.column: said for line in rivals if line is not plain[0]}
        elif len(rivals) > 1:
            why |= {line.column: SEVERAL.format(name) for line in rivals}
    return [
        replace(x, sure=0.0, why=why[x.column], entry={}) if x.column in why else x for x in lines
    ]
