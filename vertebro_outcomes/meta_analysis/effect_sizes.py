"""From a table of arms to one effect per study."""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.dialects import Dialect
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes import means, proportions, rates, two_by_two
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.arm_checks import check_arms
from vertebro_outcomes.meta_analysis.given_effects import given_effect
from vertebro_outcomes.meta_analysis.pool import check_option, pick_dialect
from vertebro_outcomes.meta_analysis.study_rows import numeric_column, require_columns

AddTo = Literal["only_zero", "if_any_zero", "all", "none"]
ADD_TO: Final = ("only_zero", "if_any_zero", "all", "none")

Columns = dict[str, Floats]
Made = tuple[Floats, Floats, Bools, Bools]  # effect, variance, corrected, dropped as double zero


def effect_sizes(
    table: pd.DataFrame,
    *,
    measure: str,
    add: float | None = None,
    add_to: AddTo | None = None,
    drop_double_zero: bool | None = None,
    dialect: str = "metafor",
) -> pd.DataFrame:
    """One effect per study, with its sampling variance.

    Parameters
    ----------
    table : DataFrame
        The columns of `MEASURES[measure].columns`: counts of patients with the event and of all
        patients (`events_t n_t events_c n_c`; `events n`), scores (`mean_t sd_t n_t ...`), counts
        over person-time (`events_t time_t ...`), or for GEN and HR `effect` with one of `variance`,
        `se`, `ci_low` + `ci_high` (`ci_level`, default 0.95). HR is given as a ratio. `_t` is the
        treatment, `_c` the comparator; the effect is treatment minus (or over) comparator.
    measure
        A name of `MEASURES`.
    add : float, at least 0
        Constant added to every cell of a corrected study. Default: the dialect's, 0.5.
    add_to
        Which studies are corrected: "only_zero" those with a zero cell, "if_any_zero" all as soon as
        one has, "all", "none". Default: the dialect's. PAS and PFT are never corrected.
    drop_double_zero
        Leave out studies without an event in either arm, or with events in all patients (OR RR PETO).
        Default: the dialect's.
    dialect
        A name of `DIALECTS`.

    Returns
    -------
    DataFrame
        A copy of `table` with `effect`, `variance`, `se` (analysis scale: log for ratios), `measure`,
        `corrected` (the constant was added) and `excluded_because` (why effect is NaN, else None).
        For HR and GEN the printed value stays in `effect_given`; `ci_asymmetry` is the distance
        of the effect from the middle of its interval in half-widths.

    Raises
    ------
    InputError
        Missing columns, text, counts that are negative, fractional or above n, negative standard
        deviations, unknown options.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> arms = pd.DataFrame({"events_t": [4], "n_t": [123], "events_c": [11], "n_c": [139]})
    >>> vo.effect_sizes(arms, measure="RR")[["effect", "variance"]].round(4).values.tolist()
    [[-0.8893, 0.3256]]
    """
    if measure not in MEASURES:
        raise refuse_argument("effect_sizes", "measure", measure, ", ".join(MEASURES))
    rules = pick_dialect(dialect, function="effect_sizes")
    if not isinstance(table, pd.DataFrame):
        raise refuse_argument("effect_sizes", "table", type(table).__name__, "a DataFrame")
    check_option("add_to", add_to or "none", ADD_TO, function="effect_sizes")
    add = rules.add if add is None else add
    if not 0 <= add < np.inf:
        raise refuse_argument("effect_sizes", "add", add, "a number of at least 0")
    names = MEASURES[measure].columns
    require_columns(table, names, function="effect_sizes")
    columns = {name: numeric_column(table, name, function="effect_sizes") for name in names}
    check_arms(table, columns)
    if measure in ("GEN", "HR"):
        return given_effect(table, measure=measure)
    correction = _Correction(
        add=add,
        add_to=add_to or ("none" if measure == "PETO" and dialect != "metafor" else rules.add_to),
        drop_double_zero=rules.drop_double_zero if drop_double_zero is None else drop_double_zero,
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        made = _MAKERS[measure](columns, correction, rules)
    return _with_effect(table, columns, made, measure=measure)


class _Correction:
    """Which studies get a constant added to their cells."""

    def __init__(self, *, add: float, add_to: AddTo, drop_double_zero: bool) -> None:
        self.add = add
        self.add_to = add_to
        self.drop_double_zero = drop_double_zero

    def studies(self, has_zero: Bools) -> Bools:
        if self.add == 0 or self.add_to == "none":
            return np.zeros_like(has_zero)
        if self.add_to == "only_zero":
            return has_zero
        return np.full_like(has_zero, self.add_to == "all" or has_zero.any())


def _from_two_by_two(measure: str) -> Callable[[Columns, _Correction, Dialect], Made]:
    def make(x: Columns, correction: _Correction, _: Dialect) -> Made:
        a, c = x["events_t"], x["events_c"]
        cells = (a, x["n_t"] - a, c, x["n_c"] - c)
        drops = measure != "RD" and correction.drop_double_zero
        dropped = two_by_two.double_zero(cells) & drops
        corrected = correction.studies(two_by_two.zero_cells(cells) & ~dropped)
        plus = np.where(corrected, correction.add, 0.0)
        a, b, c, d = (cell + plus for cell in cells)
        effect, variance = two_by_two.TWO_BY_TWO[measure]((a, b, c, d))
        return effect, variance, corrected, dropped

    return make


def _from_proportions(measure: str) -> Callable[[Columns, _Correction, Dialect], Made]:
    def make(x: Columns, correction: _Correction, _: Dialect) -> Made:
        events, n = x["events"], x["n"]
        corrected = correction.studies((events == 0) | (events == n))
        if measure in proportions.NEVER_CORRECTED:
            corrected = np.zeros_like(corrected)
        plus = np.where(corrected, correction.add, 0.0)
        effect, variance = proportions.PROPORTIONS[measure](events + plus, n + 2 * plus)
        return effect, variance, corrected, np.zeros_like(corrected)

    return make


def _from_rates(measure: str) -> Callable[[Columns, _Correction, Dialect], Made]:
    formula = rates.rate_ratio if measure == "IRR" else rates.rate_difference

    def make(x: Columns, correction: _Correction, _: Dialect) -> Made:
        a, c = x["events_t"], x["events_c"]
        dropped = (a == 0) & (c == 0) & (measure == "IRR" and correction.drop_double_zero)
        corrected = correction.studies(((a == 0) | (c == 0)) & ~dropped)
        plus = np.where(corrected, correction.add, 0.0)
        effect, variance = formula(a + plus, x["time_t"], c + plus, x["time_c"])
        return effect, variance, corrected, dropped

    return make


def _from_means(measure: str) -> Callable[[Columns, _Correction, Dialect], Made]:
    def make(x: Columns, _: _Correction, rules: Dialect) -> Made:
        if measure == "MN":
            effect, variance = means.mean(x["mean"], x["sd"], x["n"])
        else:
            smd = means.hedges_g if rules.smd == "exact" else means.hedges_g_revman
            formula = {"MD": means.mean_difference, "SMD": smd, "ROM": means.ratio_of_means}
            effect, variance = formula[measure](means.TwoMeans(**x))
        never = np.zeros(len(effect), dtype=bool)
        return effect, variance, never, never

    return make


_MAKERS: Final[dict[str, Callable[[Columns, _Correction, Dialect], Made]]] = {
    **{name: _from_two_by_two(name) for name in ("OR", "RR", "RD", "PETO")},
    **{name: _from_means(name) for name in ("MD", "SMD", "ROM", "MN")},
    **{name: _from_rates(name) for name in ("IRR", "IRD")},
    **{name: _from_proportions(name) for name in proportions.PROPORTIONS},
}


def _with_effect(
    table: pd.DataFrame, columns: Columns, made: Made, *, measure: str
) -> pd.DataFrame:
    effect, variance, corrected, dropped = made
    reasons: list[str | None] = []
    for i in range(len(table)):
        absent = [name for name in columns if np.isnan(columns[name][i])]
        reasons.append(_reason(absent, effect[i], variance[i], dropped=bool(dropped[i])))
    usable = np.array([reason is None for reason in reasons], dtype=bool)
    effect, variance = np.where(usable, effect, np.nan), np.where(usable, variance, np.nan)
    return table.assign(
        effect=effect,
        variance=variance,
        se=np.sqrt(variance),
        measure=measure,
        corrected=corrected & usable,
        excluded_because=pd.Series(reasons, index=table.index, dtype=object),
    )


def _reason(absent: list[str], effect: float, variance: float, *, dropped: bool) -> str | None:
    if absent:
        return f"missing: {', '.join(absent)}"
    if dropped:
        return "no event in either arm, or events in all"
    if not (np.isfinite(effect) and np.isfinite(variance)):
        return (
            "the effect is not defined for these numbers (a zero cell, zero mean, too few patients "
            "or numbers beyond double precision)"
        )
    return None if variance > 0 else "its sampling variance is zero"
