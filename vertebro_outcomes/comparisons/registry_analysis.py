"""The analyses that a registry report shows, each tried by itself so that one refusal stops no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from vertebro_outcomes.comparisons.compare import compare
from vertebro_outcomes.comparisons.complication_definitions import complication_definitions
from vertebro_outcomes.comparisons.complication_ranking import complication_ranking
from vertebro_outcomes.comparisons.complications import complication_rates
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.fractures import adjacent_fractures
from vertebro_outcomes.comparisons.incidence import cumulative_incidence
from vertebro_outcomes.comparisons.monitoring import WITHIN_DAYS, complication_chart
from vertebro_outcomes.comparisons.mortality import mortality
from vertebro_outcomes.comparisons.registry_claims import registry_claims
from vertebro_outcomes.comparisons.sites import complication_sites
from vertebro_outcomes.comparisons.vertebrae import vertebra_fractures
from vertebro_outcomes.errors import InputError, Problem, VertebroError, refuse_argument
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.results.complication_chart import ComplicationChart
from vertebro_outcomes.results.mortality import Mortality
from vertebro_outcomes.results.registry_analysis import ChartRate, RegistryAnalysis
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import count

DAY: Final = 90  # pain after the acute phase, reported by most trials
OUTCOME: Final = "pain_vas"
YEAR: Final = 365
GRACE_DAYS: Final = 42  # six weeks: how long published trials let a fracture wait for treatment
AGE_AND_ILLNESS: Final = ("age_years", "charlson")

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Strategy:
    """Two treatments and how they are compared.

    `method` is a name of `METHODS` for scores; without `covariates` its own defaults hold.
    `grace_days` is how long after presentation augmentation may begin, where the comparator is
    non-surgical care and the outcome is death.
    """

    treatment: str
    comparator: str
    method: str = "overlap_weighting"
    covariates: tuple[str, ...] = ()
    grace_days: int = GRACE_DAYS


# Treatments against each other, and augmentation against non-surgical care.
STRATEGIES: Final = (Strategy("KP", "VP"), Strategy("VA", "NSM"))


@dataclass(frozen=True)
class InControl:
    """A rate of complications within 30 days, and who says that it is to be expected."""

    rate: float
    source: ChartRate


def analyse_registry(
    cohort: Any,
    *,
    outcome: str = OUTCOME,
    day: int = DAY,
    strategies: Sequence[Strategy] = STRATEGIES,
    further_outcomes: Sequence[str] = (),
    in_control: InControl | None = None,
) -> RegistryAnalysis:
    """Everything the report shows of one cohort.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores.
    day : int
        Days from day 0 of the main comparison.
    strategies : sequence of Strategy
        Which arms are compared, and how.
    further_outcomes : sequence of str
        Instruments compared by the same strategies on the same day, beside the main one.
    in_control : InControl, optional
        Rate of complications that the chart over time holds the procedures against; that of the cohort
        itself if not given, which cannot tell whether all of it is high.

    Returns
    -------
    RegistryAnalysis
        With a line in `failed` for every analysis that the data cannot support.

    Raises
    ------
    InputError
        If `cohort` is none.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=1500, seed=1, scenario="randomised")
    >>> found = analyse_registry(cohort, strategies=[Strategy("KP", "VP")])
    >>> found.synthetic, len(found.comparisons)
    (True, 1)
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument(
            "analyse_registry", "cohort", type(cohort).__name__, "a Cohort (vo.load)"
        )
    failed: list[tuple[str, VertebroError]] = []

    def attempt(what: str, call: Callable[..., _Result], **how: Any) -> _Result | None:
        try:
            return call(cohort, **how)
        except VertebroError as error:
            failed.append((what, error))
            return None

    followed = _with_follow_up(cohort)
    comparisons, trajectories, fractures = {}, {}, {}
    further: dict[tuple[str, str, str], Comparison | None] = {}
    deaths: dict[tuple[str, str], Mortality | Comparison | None] = {}
    for plan in strategies:
        t, c = pair = (plan.treatment, plan.comparator)
        arms, words = {"treatment": t, "comparator": c}, f"{t} against {c}"
        scores: dict[str, Any] = {**arms, "outcome": outcome, "day": day}
        how = {"method": plan.method, "covariates": list(plan.covariates) or None}
        comparisons[pair] = attempt(f"{words}, weighted", compare, **scores, **how)
        trajectories[pair] = attempt(f"{words}, all visits", compare, **scores, method="mmrm")
        for other in further_outcomes:
            asked = {**scores, "outcome": other, **how}
            further[t, c, other] = attempt(f"{words}, weighted, {other}", compare, **asked)
        emulated: dict[str, Any] = {"time_zero": "presentation", "grace_days": plan.grace_days}
        if c == "NSM":  # the clock starts at presentation, or the treated are immortal until then
            target = Design(outcome, t, c, day=day, **emulated)
            further[t, c, outcome] = attempt(
                f"{words}, weighted, from presentation", compare, design=target,
                method="clone_censor_weight",
            )  # fmt: skip
            trial = Design("death", t, c, day=YEAR, **emulated)
            deaths[pair] = attempt(
                f"{words}, deaths", compare, design=trial, method="clone_censor_weight"
            )
            continue
        fractures[pair] = attempt(
            f"{words}, new fractures", lambda _, **how: adjacent_fractures(followed, **how),
            **arms, event="fracture", covariates=["age_years"],
        )  # fmt: skip
        deaths[pair] = attempt(
            f"{words}, deaths", lambda _, **how: mortality(followed, **how), **arms,
            covariates=list(AGE_AND_ILLNESS), adjust="overlap_weighting",
        )  # fmt: skip
    sites = attempt(
        "rates between sites", complication_sites, unit="episodes", treatment="VA",
        within_days=WITHIN_DAYS,
    )  # fmt: skip
    chart: ComplicationChart | None = None
    source: ChartRate = "registry"
    if sites is not None:
        held = in_control or InControl(sites.target, "registry")
        chart = attempt("order of events", complication_chart, rate=held.rate)
        source = held.source
    definitions = attempt("rates by definition", complication_definitions)
    ranking = attempt("most common", complication_ranking)
    rates = attempt("complications", complication_rates, by="treatment")
    incidence = attempt(
        "cumulative incidence of fractures",
        lambda _: cumulative_incidence(followed, event="fracture", by="treatment"),
    )
    vertebrae = attempt("single vertebrae", lambda _: vertebra_fractures(followed))
    claims, untested = registry_claims(cohort, day=day)
    failed += untested
    rejects = cohort.rejects.groupby(["source_file", "column", "rule"], sort=True)
    return RegistryAnalysis(
        name=cohort.name, synthetic=cohort.synthetic, coverage=cohort.coverage(),
        quality=cohort.quality(), accounting=cohort.accounting,
        rejected=rejects.size().rename("count").reset_index(), attrition=cohort.attrition,
        comparisons={k: v for k, v in comparisons.items() if v is not None},
        trajectories={k: v for k, v in trajectories.items() if v is not None},
        complications=rates, incidence=incidence,
        fractures={k: v for k, v in fractures.items() if v is not None},
        deaths={k: v for k, v in deaths.items() if v is not None}, vertebrae=vertebrae, failed=tuple(failed),
        claims=claims, further={k: v for k, v in further.items() if v is not None},
        sites=sites, chart=chart, chart_rate=source, definitions=definitions, ranking=ranking,
    )  # fmt: skip


def _with_follow_up(cohort: Cohort) -> Cohort:
    """Patients who were seen after day 0; without them there is no time at risk."""
    episodes, patients = cohort.episodes, cohort.patients
    ends = episodes.group_by("patient_id").aggregate(_end=episodes.followup_end_day.max())
    short = ends.filter((ends["_end"] <= 0).fill_null(False))
    n = count(patients.semi_join(short, "patient_id"))
    if n and n == count(patients):
        problem = Problem("episodes.followup_end_day", "nobody is followed after day 0", "days")
        raise InputError("analyse_registry()", [problem], "fill episodes.followup_end_day")
    if not n:
        return cohort
    some = ~patients.patient_id.isin(short.patient_id)
    return cohort.keep(some, because="followed after day 0")
