"""Boxes to tick of a REDCap project: those that name complications or vertebrae become rows."""

import re
from collections.abc import Mapping
from typing import Any, Final

from vertebro_outcomes.loaders.event_days import RowDates, is_leak, time_of
from vertebro_outcomes.loaders.event_words import LEAK_STEMS, event_in
from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.level_cells import read_levels
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.redcap_dictionary import Field
from vertebro_outcomes.loaders.redcap_rows import checkbox_choices
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import LEAKAGE_WORDS, squeeze, word_for

TICKED: Final = ("1", "Checked")
OTHER_VERTEBRAE: Final = (
    "boxes that name vertebrae, and it is not certain that these are the ones treated or broken"
    " at day 0: say so in a mapping file"
)
OTHER_EVENTS: Final = "boxes of diseases before the treatment, or of what was asked or prevented"
_BEFORE: Final = (
    r"previous|prior(?!it)|histor|anamnes|anteceden|(^|_)atcd|comorbid|begleiterkr|vorerkr|vorgesch"
    r"|vorbest|voorgesch|earlier|fruher|frueher|former|(^|_)past(_|$)|pre_?exist|anterieur|anteriores"
)
_OF_VERTEBRAE: Final = frozenset(
    (("levels", "level"), ("levels", "treated"), ("episodes", "n_levels"))
)
_LEVEL_NAME: Final = re.compile(r"\b(?:d|th?|l|s)\s?\d{1,2}\b", re.I)
_AT_DAY_0: Final = re.compile(
    r"(?<!un)(?<!not_)(?<!non_)treat|(?<!un)(?<!nicht_)behandel|operat|operier|operad|augment|cemented"
    r"|(c|z)ementiert|(^|_)index|(?<!non_)trait[ei]|tratad|trattat|fra[ck]tur|fractuur|frattur"
)
_NOT_AT_DAY_0: Final = re.compile(
    rf"{_BEFORE}|{LEAK_STEMS}|(^|_)(new|neue?[nrs]?|nouve\w+|nuev\w+|nuov\w+|nieuwe?|nova|nye?|old"
    r"|alte[nrs]?|ancien\w*|antigu\w*|oude|vecchi\w*)(_|$)|re_?fra[ck]t|newf|subsequent|folge|anschluss"
    r"|further|secondary|adja[cz]en|benachbart|incident|healed|verheilt|untreat|unbehandel|nicht_behandel"
    r"|not_treat|non_trait|plan|prev(u|ist)|screw|schraub|tornill|schroef|(^|_)vis(_|$)|instrumented"
)
_OF_COMPLICATIONS: Final = re.compile(
    rf"compli[ck]|kompli[ck]|adverse?|side_effect|unerwunsch|zwischenfall|(^|_)events?(_|$)|evenement"
    rf"|(^|_)(ae|sae|uaw)(_|$)|{LEAK_STEMS}"
)
_NO_COMPLICATIONS: Final = re.compile(
    rf"{_BEFORE}|prevent|prophyla|pre_?op|before_(the_)?(surg|oper|treat|proc|incl|enrol)|risk|risiko"
    r"|(^|_)(asked|assessed|screened|checked)(_|$)|abgefragt"
)


def box_feeds(
    source: Source, fields: Mapping[str, Field], dates: RowDates, own: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[tuple[str, str], str]]:
    """Feeds of what ticked boxes tell, and why the boxes that could be meant are not read.

    `own` are the cells of the date of complications, where a column holds it.
    """
    keys = {"patient_id": {"column": source.columns[0]}}
    feeds: list[dict[str, Any]] = []
    left: dict[tuple[str, str], str] = {}
    for field, column, code, label in checkbox_choices(source, fields):
        where = {column: list(TICKED)}
        level = next(iter([*read_levels(label), *read_levels(code)]), None)
        kind = None if level else _event(field, label)
        if level is not None and names_treated(field):
            cells: dict[str, Any] = {**keys, "level": {"constant": level}}
            feeds.append(
                {"source": source.name, "table": "levels", "columns": cells, "where": where}
            )
        elif kind is not None and not _NO_COMPLICATIONS.search(_about(field)):
            when = {} if is_leak(kind) else own  # that is the date of complications
            when = when or time_of(source, (column, TICKED), kind, dates=dates)
            cells = {**keys, "type": {"constant": kind}, **when}
            feeds.append(
                {"source": source.name, "table": "events", "columns": cells, "where": where}
            )
        elif level is not None or kind is not None:
            left[source.name, column] = OTHER_VERTEBRAE if level else OTHER_EVENTS
    return feeds, left


def names_treated(field: Field) -> bool:
    """Whether boxes that name vertebrae ask for those treated or broken at day 0.

    Vertebrae that hurt, hold screws, leaked, or broke at another time are none of them.
    """
    about = _about(field)
    named = _LEVEL_NAME.sub(" ", field.label)  # D4 is no fourth day
    if _NOT_AT_DAY_0.search(about) or timepoint_days(named) not in (None, 0):
        return False
    told = {meaning_of(field.name), meaning_of(field.label)}
    return bool(told & _OF_VERTEBRAE) or bool(_AT_DAY_0.search(about))


def _event(field: Field, label: str) -> str | None:
    """The complication that a box names."""
    about = _about(field)
    if re.search(LEAK_STEMS, about):
        site = word_for(label, LEAKAGE_WORDS)
        if site not in (None, "none"):
            return f"cement_leakage_{site}"
    return event_in(label) if _OF_COMPLICATIONS.search(about) else None


def _about(field: Field) -> str:
    return squeeze(f"{field.name} {field.label}")
