"""What a network meta-analysis asks of its contrasts: whole studies that do not contradict themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.network.independent_contrasts import StudyArms
from vertebro_outcomes.estimators.network.splitting import Pairs
from vertebro_outcomes.meta_analysis.study_rows import numeric_column, require_columns
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

# Effects of a multi-arm study may miss closing by this much (analysis scale), for printed digits.
# netmeta's default (argument tol.multiarm).
CLOSURE_TOLERANCE: Final = 1e-3
_ROUNDING: Final = 1e-10  # a variance within this share of the study's largest counts as 0


@dataclass(frozen=True)
class Contrasts:
    """Checked rows: one effect per row with variance `v`, studies and treatments as text."""

    study: tuple[str, ...]
    treat_t: tuple[str, ...]
    treat_c: tuple[str, ...]
    effect: Floats
    v: Floats
    excluded: tuple[ExcludedStudy, ...]

    def keep(self, mask: Bools, *, excluded: tuple[ExcludedStudy, ...]) -> "Contrasts":
        """The rows of `mask`, with more studies in the list of the excluded."""

        def kept(column: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(x for x, keeps in zip(column, mask, strict=True) if keeps)

        return Contrasts(
            study=kept(self.study),
            treat_t=kept(self.treat_t),
            treat_c=kept(self.treat_c),
            effect=self.effect[mask],
            v=self.v[mask],
            excluded=self.excluded + excluded,
        )

    def arms(self) -> dict[str, set[str]]:
        """Treatments of each study, studies in the order of the rows."""
        found: dict[str, set[str]] = {}
        for study, one, two in zip(self.study, self.treat_t, self.treat_c, strict=True):
            found.setdefault(study, set()).update((one, two))
        return found


def read_contrasts(table: pd.DataFrame, *, function: str) -> Contrasts:
    """Columns `study treat_t treat_c effect` and `se` (or `variance`); every refusal at once.

    Rows without an effect are left out and listed; so is the rest of a multi-arm study that is no
    longer whole without them.
    """
    if not isinstance(table, pd.DataFrame):
        raise refuse_argument(function, "contrasts", type(table).__name__, "a DataFrame")
    if "se" not in table.columns and "variance" in table.columns:
        table = table.assign(se=_root(numeric_column(table, "variance", function=function)))
    require_columns(table, ("study", "treat_t", "treat_c", "effect", "se"), function=function)
    effect = numeric_column(table, "effect", function=function)
    se = numeric_column(table, "se", function=function)
    study, one, two = (_text(table[name]) for name in ("study", "treat_t", "treat_c"))
    given = ~np.isnan(effect)
    checks = [
        (name, "empty cell", np.array([not x for x in column]), "a name")
        for name, column in (("study", study), ("treat_t", one), ("treat_c", two))
    ]
    same = np.array([a == b != "" for a, b in zip(one, two, strict=True)], dtype=bool)
    checks += [
        ("treat_t", "treatment compared with itself", same, "two different treatments"),
        ("effect", "infinite value", np.isinf(effect), "finite numbers"),
        ("se", "zero or negative value", se <= 0, "positive numbers"),
        ("se", "infinite value", np.isinf(se), "positive, finite numbers"),
        ("se", "missing value beside an effect", np.isnan(se) & given, "positive numbers"),
    ]
    problems = [
        Problem(f"column {name}", f"{words} in {_rows_of(study, bad)}", allowed)
        for name, words, bad, allowed in checks
        if bad.any()
    ]
    repeated = _repeated(study, one, two)
    if repeated:
        found = f"the same comparison twice: {list_some(repeated)}"
        problems.append(Problem("contrasts", found, "one row per study and pair of treatments"))
    if problems:
        raise InputError(f"{function}()", problems, "correct these rows, or drop them first")
    everything = Contrasts(study, one, two, effect, se**2, ())
    return _without_missing(everything, given, reasons=_reasons(table))


def study_arms(
    contrasts: Contrasts, treatments: Sequence[str], *, function: str, closure_tolerance: float
) -> tuple[tuple[StudyArms, ...], Pairs]:
    """Every study as matrices over its arms; refuses studies that miss pairs or contradict themselves."""
    at = {name: i for i, name in enumerate(treatments)}
    t = np.array([at[name] for name in contrasts.treat_t], dtype=np.int64)
    c = np.array([at[name] for name in contrasts.treat_c], dtype=np.int64)
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(contrasts.study):
        rows.setdefault(name, []).append(i)
    studies: list[StudyArms] = []
    problems: list[Problem] = []
    for label, members in rows.items():
        one, two = t[members], c[members]
        arms, places = np.unique(np.concatenate([one, two]), return_inverse=True)
        m = len(arms)
        if len(members) < m * (m - 1) // 2:
            problems.append(_missing_pairs(label, arms, one, two, treatments))
            continue
        a, b = places[: len(members)], places[len(members) :]
        effects, variances = np.zeros((m, m)), np.zeros((m, m))
        effects[a, b], effects[b, a] = contrasts.effect[members], -contrasts.effect[members]
        variances[a, b] = variances[b, a] = contrasts.v[members]
        study = StudyArms(arms, effects, variances)
        studies.append(study)
        if m > 2:
            problems += _contradictions(label, study, treatments, closure_tolerance)
    if problems:
        raise InputError(f"{function}()", problems, _NEXT_STEP)
    return tuple(studies), Pairs(t, c, contrasts.effect, contrasts.v)


def _contradictions(
    label: str, study: StudyArms, treatments: Sequence[str], tolerance: float
) -> list[Problem]:
    where = f"study {label}"
    names = [treatments[i] for i in study.treatments]
    fitted = study.effects.mean(axis=1)
    gap = np.abs(study.effects - (fitted[:, None] - fitted[None, :])).max()
    problems = []
    if gap > tolerance:
        found = f"effects of its {len(names)} arms do not add up (off by {gap:.3g})"
        allowed = f"effect(A, B) + effect(B, C) = effect(A, C), within {tolerance:g}"
        problems.append(Problem(where, found, allowed))
    arm_variance = study.arm_variances()
    bad = arm_variance < -_ROUNDING * study.variances.max()
    smallest, largest = np.linalg.eigvalsh(study.arm_covariance())[[1, -1]]
    if bad.any() or smallest <= _ROUNDING * largest:
        which = list_some([name for name, is_bad in zip(names, bad, strict=True) if is_bad])
        found = f"its standard errors imply a negative variance of arm {which or names[0]}"
        allowed = "variances that add up over arms: se(A, B)² = s(A) + s(B) with no s below 0"
        problems.append(Problem(where, found, allowed))
    return problems


def _missing_pairs(
    label: str, arms: Ints, one: Ints, two: Ints, treatments: Sequence[str]
) -> Problem:
    seen = {frozenset(pair) for pair in zip(one.tolist(), two.tolist(), strict=True)}
    missing = [
        f"{treatments[i]}:{treatments[j]}"
        for i, j in combinations(arms.tolist(), 2)
        if frozenset((i, j)) not in seen
    ]
    found = f"{len(arms)} arms, but no row for {list_some(missing)}"
    return Problem(f"study {label}", found, "all pairs of a multi-arm study")


def _without_missing(rows: Contrasts, given: Bools, *, reasons: Sequence[str]) -> Contrasts:
    if given.all():
        return rows
    whole = rows.keep(given, excluded=())
    left = whole.arms()
    count = {study: whole.study.count(study) for study in left}
    broken = {s for s, arms in left.items() if 2 * count[s] != len(arms) * (len(arms) - 1)}
    excluded: dict[tuple[str, str], None] = {}
    for i in np.flatnonzero(~given).tolist():
        study = rows.study[i]
        pair = f"{rows.treat_t[i]}:{rows.treat_c[i]}"
        reason = f"{pair}: {reasons[i]}"
        if study in broken:
            reason += "; a multi-arm study enters with all its pairs or not at all"
        excluded[study, reason] = None
    keep = given & np.array([study not in broken for study in rows.study], dtype=bool)
    return rows.keep(keep, excluded=tuple(ExcludedStudy(*pair) for pair in excluded))


def _reasons(table: pd.DataFrame) -> list[str]:
    given = (
        table["excluded_because"].tolist()
        if "excluded_because" in table.columns
        else [None] * len(table)
    )
    return [str(x) if isinstance(x, str) and x else "the effect is missing" for x in given]


def _text(column: pd.Series) -> tuple[str, ...]:
    return tuple("" if pd.isna(x) else str(x).strip() for x in column.tolist())


def _root(variance: Floats) -> Floats:
    """Square root that leaves a negative variance negative, to be refused like a negative se."""
    return np.sign(variance) * np.sqrt(np.abs(variance))


def _rows_of(study: Sequence[str], bad: Bools) -> str:
    named = [study[i] or f"row {i + 1}" for i in np.flatnonzero(bad).tolist()]
    return list_some(list(dict.fromkeys(named)))


def _repeated(study: Sequence[str], one: Sequence[str], two: Sequence[str]) -> list[str]:
    seen: set[tuple[str, frozenset[str]]] = set()
    repeated = []
    for label, a, b in zip(study, one, two, strict=True):
        if (key := (label, frozenset((a, b)))) in seen:
            repeated.append(f"{label} ({a}:{b})")
        seen.add(key)
    return repeated


_NEXT_STEP = (
    "compute all pairs from the arms with network_contrasts(); for printed digits that do not add up "
    "raise closure_tolerance"
)
