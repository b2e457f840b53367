"""Tests for small-study effects: whether the effect depends on the size of the study."""

from dataclasses import replace
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.small_study import (
    Line,
    begg_rank,
    deeks_line,
    egger_line,
    harbord_line,
    macaskill_line,
    mixed_line,
    peese_line,
    peters_line,
)
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.meta_analysis.small_study_rows import (
    BY_ARMS,
    FUNCTION,
    SizedStudies,
    check_sizes_differ,
    studies_by_arms,
    studies_by_precision,
)
from vertebro_outcomes.results.small_study_test import SmallStudyTest

Test = Literal[
    "egger", "begg", "peters", "harbord", "macaskill", "deeks", "pet", "peese", "pet_peese"
]
Model = Literal["lm", "rma"]
TESTS: Final[tuple[Test, ...]] = get_args(Test)
FEW_STUDIES: Final = 10  # Sterne et al. (2011), BMJ 343:d4002, doi:10.1136/bmj.d4002
FEWEST_STUDIES: Final = 3  # two parameters and one degree of freedom
PET_ALPHA: Final = 0.05  # one-sided; Stanley and Doucouliagos (2014), doi:10.1002/jrsm.1095
_MIXED = ("egger", "pet", "peese", "pet_peese")
_NAN = float("nan")


def small_study_effects(
    es: pd.DataFrame,
    *,
    test: Test = "egger",
    model: Model = "lm",
    method: Tau2Method = "REML",
    level: float = 0.95,
    measure: str | None = None,
) -> SmallStudyTest:
    """Test whether small studies show other effects than large ones.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale. "peters", "harbord" and "macaskill" also need the
        arms (`events_t n_t events_c n_c`), "deeks" `n_t n_c`; the arms alone are enough, log odds ratios
        are then computed.
    test
        "egger": effect/se on 1/se (the same as effect on se with weights 1/variance), t on k - 2;
        "begg": rank correlation of standardised effect and variance; "harbord": efficient score of the
        log odds ratio; "peters": effect on 1/n; "macaskill": effect on n; "deeks": effect on
        1/sqrt(effective n); "pet", "peese": effect on se or on variance, the intercept tested;
        "pet_peese": PEESE if PET finds an effect in the direction of the pooled one with one-sided
        p < 0.05, otherwise PET.
    model
        "lm": weighted regression with multiplicative dispersion, t on k - 2. "rma" (egger, pet, peese,
        pet_peese): mixed-effects regression with additive residual tau², normal tests.
    method
        tau² estimator of `model="rma"`.
    level : float
        Confidence level, between 0 and 1.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    SmallStudyTest
        `statistic`, `p_value`, `df`, `intercept`, `slope`, `bias`, `limit`. For "egger" and "harbord"
        `intercept` is the bias coefficient, for all others the effect adjusted for size. A note warns
        below 10 studies, where these tests have little power.

    Raises
    ------
    InputError
        Fewer than 3 studies, sizes that do not differ, missing columns, unknown options.

    References
    ----------
    Egger et al. (1997), BMJ 315:629, doi:10.1136/bmj.315.7109.629; Begg and Mazumdar (1994),
    doi:10.2307/2533446; Harbord et al. (2006), doi:10.1002/sim.2380; Peters et al. (2006),
    doi:10.1001/jama.295.6.676; Macaskill et al. (2001), doi:10.1002/sim.698; Deeks et al. (2005),
    doi:10.1016/j.jclinepi.2005.01.016; Stanley and Doucouliagos (2014), doi:10.1002/jrsm.1095.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [-0.9, -0.3, -0.5, -0.2], "variance": [0.2, 0.05, 0.08, 0.03]})
    >>> found = vo.small_study_effects(es, test="egger")
    >>> round(found.intercept, 3), round(found.p_value, 3)
    (-2.596, 0.004)
    """
    check_option("test", test, TESTS, function=FUNCTION)
    check_option("model", model, ("lm", "rma"), function=FUNCTION)
    check_option("method", method, TAU2_METHODS, function=FUNCTION)
    check_level(level, function=FUNCTION)
    if model == "rma" and test not in _MIXED:
        raise refuse_argument(FUNCTION, "model", model, f'"lm" for test="{test}"')
    data = (
        studies_by_arms(es, test, measure) if test in BY_ARMS else studies_by_precision(es, measure)
    )
    if len(data.labels) < FEWEST_STUDIES:
        raise refuse_argument(
            FUNCTION, "es", f"{len(data.labels)} usable studies", "at least 3 studies"
        )
    check_sizes_differ(data, test)
    result = _run(data, test=test, model=model, method=method, level=level)
    return replace(result, notes=(*result.notes, *_notes(data, test), *_undefined(result)))


def _run(
    data: SizedStudies, *, test: str, model: str, method: Tau2Method, level: float
) -> SmallStudyTest:
    y, v, counts = data.y, data.v, data.counts
    if test == "begg":
        return _rank_result(data, level=level)
    if test == "pet_peese":
        pet = _run(data, test="pet", model=model, method=method, level=level)
        towards = float(np.sign(np.average(y, weights=1.0 / v)))
        one_sided = pet.p_value / 2 if pet.statistic * towards > 0 else 1 - pet.p_value / 2
        chosen = "peese" if one_sided < PET_ALPHA else "pet"
        found = _run(data, test=chosen, model=model, method=method, level=level)
        note = f"PET: one-sided p = {one_sided:.3g}, so {chosen.upper()} is reported."
        return replace(found, test=test, chosen=chosen, notes=(note,))
    if test in _MIXED and model == "rma":
        x = v if test == "peese" else np.sqrt(v)
        line = mixed_line(y, v, x, method=method)
    elif test in ("egger", "pet"):
        line = egger_line(y, v)
    elif test == "peese":
        line = peese_line(y, v)
    elif test == "harbord":
        line = harbord_line(counts)
    elif test == "deeks":
        line = deeks_line(y, counts.n1, counts.n2)
    else:
        line = (peters_line if test == "peters" else macaskill_line)(y, counts)
    return _line_result(data, line, test=test, model=model, level=level)


def _line_result(
    data: SizedStudies, line: Line, *, test: str, model: str, level: float
) -> SmallStudyTest:
    tests_limit = test in ("pet", "peese")
    tested, se = (line.b0, line.b0_se) if tests_limit else (line.b1, line.b1_se)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = float(np.divide(tested, se))
    reach = line.quantile(level)
    bias_first = test in ("egger", "harbord")
    return SmallStudyTest(
        test=test,
        model=model,
        measure=data.measure,
        level=level,
        k=len(data.labels),
        statistic=statistic,
        df=line.df,
        p_value=line.p_value(statistic),
        intercept=line.b1 if bias_first else line.b0,
        slope=line.b0 if bias_first else line.b1,
        bias=line.b1,
        bias_se=line.b1_se,
        bias_ci_low=line.b1 - reach * line.b1_se,
        bias_ci_high=line.b1 + reach * line.b1_se,
        limit=line.b0,
        limit_se=line.b0_se,
        limit_ci_low=line.b0 - reach * line.b0_se,
        limit_ci_high=line.b0 + reach * line.b0_se,
        chosen=test,
        studies=data.studies(),
        excluded=data.excluded,
    )


def _rank_result(data: SizedStudies, *, level: float) -> SmallStudyTest:
    statistic, p_value, exact = begg_rank(data.y, data.v)
    how = "exact" if exact else "normal, with the variance for ties, without continuity correction"
    nothing = Line(_NAN, _NAN, _NAN, _NAN, _NAN)
    return replace(
        _line_result(data, nothing, test="begg", model="lm", level=level),
        statistic=statistic,
        p_value=p_value,
        notes=(f"The p-value is {how}.",),
    )


def _undefined(result: SmallStudyTest) -> list[str]:
    if np.isfinite(result.statistic):
        return []
    if result.test == "begg":
        return ["All effects or all variances are tied: the correlation is not defined."]
    return ["All studies lie on one line: there is no scatter to compare it with."]


def _notes(data: SizedStudies, test: str) -> list[str]:
    notes = []
    if len(data.labels) < FEW_STUDIES:
        notes.append(
            f"Fewer than {FEW_STUDIES} studies: the test has little power, and no finding is no evidence "
            "of symmetry (Sterne et al. 2011, doi:10.1136/bmj.d4002)."
        )
    if test in ("peters", "macaskill") and data.measure not in ("OR", "GEN"):
        notes.append(f"The test was proposed for log odds ratios; it was run on {data.measure}.")
    if test in ("egger", "pet", "peese", "pet_peese") and data.measure in (
        "OR",
        "RR",
        "PETO",
        "SMD",
    ):
        notes.append(
            f"The standard error of {data.measure} depends on the effect itself, which can make the "
            "funnel asymmetric without any selection; compare "
            + (
                "an effect-free measure of size."
                if data.measure == "SMD"
                else "harbord and peters."
            )
        )
    return notes
