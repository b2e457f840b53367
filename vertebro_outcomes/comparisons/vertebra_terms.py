"""Risk factors of a vertebra: the class of every entry and the covariates of each class."""

from itertools import pairwise
from typing import Any, Final

import numpy as np

from vertebro_outcomes.comparisons.hazard_models import covariate_columns
from vertebro_outcomes.comparisons.spine_patterns import OF_LEVEL
from vertebro_outcomes.comparisons.vertebra_rows import AT_RISK, FAR, VertebraRows
from vertebro_outcomes.estimators.arrays import Bools, Floats, Wholes

# The thoracolumbar transition carries most osteoporotic fractures; reference is the part above it.
REGION: Final = {
    level: "T4 to T9" if place < 6 else "T10 to L2" if place < 11 else "L3 to L5"
    for place, level in enumerate(AT_RISK)
}
Term = tuple[Wholes, Floats, list[str]]


def term_of(
    rows: VertebraRows, name: str, *, cuts: Any, function: str, notes: list[str]
) -> Term:  # fmt: skip
    """Class of every entry (-1 blank), covariates of each class, and their names."""
    if name == "distance":
        words = [*(str(d) for d in range(1, FAR)), f"{FAR}+"]
        code = np.minimum(rows.distance, FAR) - 1
        return _classes(rows, name, code, words=words, reference=words[-1], notes=notes)
    if name == "level":
        words = list(AT_RISK)
        return _classes(rows, name, rows.place, words=words, reference="L3", notes=notes)
    if name == "region":
        words = list(dict.fromkeys(REGION.values()))
        code = np.array([words.index(REGION[word]) for word in AT_RISK], dtype=np.int8)[rows.place]
        return _classes(rows, name, code, words=words, reference=words[0], notes=notes)
    if name in OF_LEVEL:
        return _numeric(name, rows.of_level[name], cuts)
    if name == "treatment":
        text = rows.people["treatment"].astype(str)
        words = sorted(text.unique(), key=lambda w: (w != "NSM", w))
        code = text.map({w: i for i, w in enumerate(words)}).to_numpy(np.int64)[rows.patient]
        return _classes(rows, name, code, words=words, reference=words[0], notes=notes)
    x, names = covariate_columns(rows.people, (name,), function)
    if x.shape[1] == 1 and names == [name]:
        code, classes, terms = _numeric(name, x[:, 0], cuts)
        return code[rows.patient], classes, terms
    classes, code = np.unique(x, axis=0, return_inverse=True)
    blank: Bools = np.asarray(np.isnan(classes).any(axis=1))
    return (
        np.where(blank[code.ravel()], -1, code.ravel())[rows.patient],
        np.nan_to_num(classes),
        names,
    )


def _classes(
    rows: VertebraRows, name: str, code: Wholes, *, words: list[str], reference: str, notes: list[str]
) -> Term:  # fmt: skip
    """Indicators against `reference`, or against the class that broke most if nothing broke there."""
    broken = np.bincount(code[rows.event], rows.times(rows.event), minlength=len(words))
    at = words.index(reference)
    if broken[at] == 0:
        at = int(np.argmax(broken))
        notes.append(f"No vertebra with {name} {reference} broke: the reference is {words[at]}.")
    others = [f"{name}: {word}" for place, word in enumerate(words) if place != at]
    return code, np.delete(np.eye(len(words)), at, axis=1), others


def _numeric(name: str, value: Floats, cuts: Any) -> Term:
    if cuts is None:
        classes, code = np.unique(value, return_inverse=True)
        return np.where(np.isnan(value), -1, code), np.nan_to_num(classes)[:, None], [name]
    limits = np.asarray(list(cuts), dtype=float)
    code = np.where(np.isnan(value), -1, np.searchsorted(limits, value, side="right"))
    upto = [f"{name}: {a:g} to {b:g}" for a, b in pairwise(limits)]
    names = [*upto, f"{name}: {limits[-1]:g} and more"]
    return code, np.delete(np.eye(limits.size + 1), 0, axis=1), names
