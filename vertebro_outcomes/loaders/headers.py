"""Which canonical column a header means: its words as listed, or the same words in another order."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vertebro_outcomes.loaders.format import STAGED
from vertebro_outcomes.loaders.words import fold

Key = tuple[str, str]  # table, column


def _listed() -> dict[str, Key]:
    """Folded header -> what it means, from the list beside this module."""
    text = Path(__file__).with_name("header_words.toml").read_text(encoding="utf-8")
    return {
        word: (table, column)
        for table, columns in tomllib.loads(text).items()
        for column, words in columns.items()
        for word in words.split()
    }


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that say nothing of what a column holds; a unit or the way to answer may stand at the end.
_FILLING: Final = _set(
    "a an the of in at for to is was are what your patient patients pt s d l de du des da do la le"
    " which welche welcher les der die das dem den im vom von bei b und and et del el los van het een as"
    " performed received given actual please enter select specify"
)
_ENDINGS: Final = _set(
    "mm cm ml cc pct percent deg degree degrees grad yrs years days kg j n ja nein y yes no o oui"
    " non yn jn weeks months wochen monate monaten semaines mois semanas meses weken maanden"
    " code cd coded txt text var value val"
)
_SAME: Final = dict.fromkeys(("datum", "am", "on", "dt", "fecha", "dato"), "date")
_NUMBERING: Final = _set("id nr no num numero nummer number code key n pid ident ref")
_PERSON: Final = _set(
    "pat patient patienten paciente patientens subj subject subjekt case fall person record study"
    " proband probanden participant teilnehmer dossier pseudonym registry register reg journal"
    " member insured beneficiary"
)
_SEXES: Final = {
    **dict.fromkeys(
        ("female", "weiblich", "femme", "feminin", "woman", "women", "mujer"), "female"
    ),
    **dict.fromkeys(
        ("male", "mannlich", "maennlich", "homme", "masculin", "man", "hombre"), "male"
    ),
}
BY_HEADER: Final = _listed()


def _bag(words: Sequence[str]) -> frozenset[str]:
    """The words that matter, in no order."""
    left = [_SAME.get(word, word) for word in words if word not in _FILLING]
    return frozenset(left or words)


def _by_words() -> dict[frozenset[str], Key]:
    """The list once more without order; what then means two things is left out."""
    found: dict[frozenset[str], set[Key]] = {}
    for word, key in BY_HEADER.items():
        found.setdefault(_bag(word.split("_")), set()).add(key)
    return {bag: keys.pop() for bag, keys in found.items() if len(keys) == 1}


_BY_WORDS: Final = _by_words()


def meaning_of(title: str) -> Key | None:
    """What a header or label means; None where that cannot be told."""
    folded = fold(title)
    words = folded.split("_")
    bare = list(words)
    while len(bare) > 1 and bare[-1] in _ENDINGS:
        bare.pop()
    if not folded:
        return None
    listed = BY_HEADER.get(folded) or _BY_WORDS.get(_bag(words))
    return listed or BY_HEADER.get("_".join(bare)) or _BY_WORDS.get(_bag(bare))


def sex_in(title: str) -> str | None:
    """The sex that a yes/no column asks for: `female`."""
    words = fold(title).removeprefix("is_").removeprefix("sex_")
    return _SEXES.get(words)


def names_a_person(title: str) -> bool:
    """Whether a header numbers people: `Reg-Nr. Patient`."""
    words = set(fold(title).split("_"))
    return bool(words & _PERSON) and bool(words & _NUMBERING)


assert all(column in STAGED[table].names for table, column in BY_HEADER.values())
