"""Cohorts no analysis likes, and every public call that takes one."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from tests.reliability.stress.by_signature import calls_by_signature
from vertebro_outcomes.results.site_bundle import SiteBundle

ARMS = {"treatment": "KP", "comparator": "NSM"}
QUESTION = {"outcome": "pain_vas", **ARMS, "day": 90}
DAYS = (0, 7, 30, 90)
LEVELS = ("T11", "T12", "L1", "L2")
Frames = dict[str, pd.DataFrame]


def ordinary(n: int = 40, seed: int = 5) -> Frames:
    """Two arms, four visits, some deaths, fractures and leaks."""
    rng = np.random.default_rng(seed)
    ids = [f"p{i:03d}" for i in range(n)]
    base = np.clip(rng.normal(7, 1.2, n), 0, 10).round(1)
    arm = np.where(np.arange(n) % 2 == 0, "KP", "NSM")
    seen = [
        pd.DataFrame(
            {
                "patient_id": ids,
                "day": day,
                "value": np.clip(
                    base - (day > 0) * (2 + (arm == "KP")) + rng.normal(0, 1, n) * (day > 0), 0, 10
                ).round(1),
            }
        )
        for day in DAYS
    ]
    had = rng.random(n) < 0.3
    return {
        "patients": pd.DataFrame(
            {
                "patient_id": ids,
                "age_years": rng.normal(76, 8, n).round(),
                "sex": np.where(rng.random(n) < 0.3, "male", "female"),
                "site": np.array(list("ABCD"))[np.arange(n) // 2 % 4],
                "death_day": pd.array(np.where(rng.random(n) < 0.2, 200, -1), dtype="Int64"),
            }
        ).assign(death_day=lambda t: t["death_day"].where(t["death_day"] > 0)),
        "episodes": pd.DataFrame(
            {
                "patient_id": ids,
                "treatment": arm,
                "day0": "enrolment",
                "presentation_day": 0,
                "treatment_day": pd.array(np.where(arm == "KP", 3, -1), dtype="Int64"),
                "fracture_age_days": rng.integers(1, 120, n),
                "followup_end_day": 200 + rng.integers(0, 200, n),
            }
        ).assign(treatment_day=lambda t: t["treatment_day"].where(t["treatment_day"] >= 0)),
        "levels": pd.DataFrame(
            {"patient_id": ids, "level": rng.choice(LEVELS, n), "treated": arm == "KP"}
        ),
        "scores": pd.concat(seen, ignore_index=True).assign(instrument="pain_vas"),
        "events": pd.DataFrame({"patient_id": ids, "type": "cement_leakage_disc", "day": 3})[
            had & (arm == "KP")
        ],
        "fractures": pd.DataFrame(
            {
                "patient_id": ids,
                "level": "L3",
                "day": rng.integers(20, 180, n),
                "adjacent": rng.random(n) < 0.5,
            }
        )[rng.random(n) < 0.4],
    }


def _with(change: Callable[[Frames], None], **how: int) -> Callable[[], Frames]:
    def make() -> Frames:
        frames = ordinary(**how)
        change(frames)
        return frames

    return make


def _only(n: Callable[[pd.DataFrame], pd.Series]) -> Callable[[Frames], None]:
    """Keep the patients that the rule on the episodes names."""

    def change(frames: Frames) -> None:
        episodes = frames["episodes"]
        ids = set(episodes.loc[n(episodes), "patient_id"])
        for name, frame in frames.items():
            frames[name] = frame[frame["patient_id"].isin(ids)].reset_index(drop=True)

    return change


def _set(table: str, **values: object) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        frames[table] = frames[table].assign(**values)

    return change


def _first_of_each(episodes: pd.DataFrame, n: int) -> pd.Series:
    return episodes.groupby("treatment").cumcount() < n


def _drop(*tables: str) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        for table in tables:
            frames[table] = frames[table].iloc[:0]

    return change


def _arm(frame: pd.DataFrame, frames: Frames) -> pd.Series:
    treatment = frames["episodes"].set_index("patient_id")["treatment"]
    return frame["patient_id"].map(treatment) == "KP"


def _scores_by_arm(frames: Frames) -> None:
    scores = frames["scores"]
    frames["scores"] = scores.assign(value=np.where(_arm(scores, frames), 2.0, 8.0))


def _separated(frames: Frames) -> None:
    patients = frames["patients"]
    frames["patients"] = patients.assign(age_years=np.where(_arm(patients, frames), 60.0, 90.0))


def _nearly_separated(frames: Frames) -> None:
    _separated(frames)
    age = frames["patients"]["age_years"].to_numpy().copy()
    age[:2] = age[:2][::-1]
    frames["patients"] = frames["patients"].assign(age_years=age)


def _sites_by_arm(frames: Frames) -> None:
    patients = frames["patients"]
    frames["patients"] = patients.assign(site=np.where(_arm(patients, frames), "A", "B"))


def _all_die(frames: Frames) -> None:
    frames["patients"] = frames["patients"].assign(death_day=1)
    frames["episodes"] = frames["episodes"].assign(followup_end_day=1)
    for name in ("scores", "fractures", "events"):
        frames[name] = frames[name][frames[name]["day"] <= 1]


def _fractures_of(rule: Callable[[Frames], pd.Series], day: int = 50) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        ids = frames["episodes"].loc[rule(frames), "patient_id"]
        frames["fractures"] = pd.DataFrame(
            {"patient_id": ids, "level": "L3", "day": day, "adjacent": True}
        )
        frames["patients"] = frames["patients"].assign(death_day=None)

    return change


def _values(values: object) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        n = len(frames["scores"])
        frames["scores"] = frames["scores"].assign(value=np.resize(np.asarray(values, float), n))

    return change


MAKERS = {
    "ordinary": ordinary,
    "nobody": _with(_only(lambda e: e["treatment"] == "none")),
    "one patient": _with(_only(lambda e: e["patient_id"] == "p000")),
    "one patient per arm": _with(_only(lambda e: _first_of_each(e, 1))),
    "two patients per arm": _with(_only(lambda e: _first_of_each(e, 2))),
    "three patients per arm": _with(_only(lambda e: _first_of_each(e, 3))),
    "no comparator": _with(_only(lambda e: e["treatment"] == "KP")),
    "no treatment": _with(_only(lambda e: e["treatment"] == "NSM")),
    "one treated": _with(_only(lambda e: (e["treatment"] == "NSM") | (e["patient_id"] == "p000"))),
    "no score": _with(_drop("scores")),
    "no baseline": _with(lambda f: f.update(scores=f["scores"][f["scores"]["day"] > 0])),
    "only a baseline": _with(lambda f: f.update(scores=f["scores"][f["scores"]["day"] == 0])),
    "one score known": _with(lambda f: f.update(scores=f["scores"].head(1))),
    "every score the same": _with(_values([5.0])),
    "every score zero": _with(_values([0.0])),
    "scores follow the arm": _with(_scores_by_arm),
    "scores at both ends": _with(_values([0.0, 10.0])),
    "scores differ by a hair": _with(_values([5.0, 5.0 + 1e-12, 5.0 - 1e-12])),
    "the baseline constant": _with(
        lambda f: f.update(
            scores=f["scores"].assign(value=lambda s: s["value"].where(s["day"] > 0, 7.0))
        )
    ),
    "everybody of one age": _with(_set("patients", age_years=75.0)),
    "no age known": _with(_set("patients", age_years=np.nan)),
    "one age far out": _with(
        lambda f: f.update(
            patients=f["patients"].assign(age_years=np.where(f["patients"].index == 0, 119.0, 75.0))
        )
    ),
    "all of one sex": _with(_set("patients", sex="female")),
    "separated by age": _with(_separated),
    "nearly separated by age": _with(_nearly_separated),
    "separated by site": _with(_sites_by_arm),
    "one site": _with(_set("patients", site="A")),
    "every patient a site": _with(
        lambda f: f.update(patients=f["patients"].assign(site=f["patients"]["patient_id"]))
    ),
    "no site known": _with(_set("patients", site=None)),
    "all die at once": _with(_all_die),
    "no death": _with(_set("patients", death_day=None)),
    "no follow-up": _with(
        lambda f: (
            _drop("fractures")(f),
            _set("episodes", followup_end_day=0)(f),
            _set("patients", death_day=None)(f),
            f.update(scores=f["scores"][f["scores"]["day"] == 0], events=f["events"].iloc[:0]),
        )
    ),
    "no fracture, leak or death": _with(
        lambda f: (_drop("fractures", "events")(f), _set("patients", death_day=None)(f))
    ),
    "everybody fractures at once": _with(_fractures_of(lambda f: f["episodes"]["treatment"] != "")),
    "fractures in one arm": _with(_fractures_of(lambda f: f["episodes"]["treatment"] == "KP")),
    "fractures on the first day": _with(
        _fractures_of(lambda f: f["episodes"]["treatment"] == "KP", day=1)
    ),
    "one fracture": _with(_fractures_of(lambda f: f["episodes"].index == 0)),
    "deaths in one arm": _with(
        lambda f: f.update(
            patients=f["patients"].assign(
                death_day=lambda p: pd.Series(np.where(_arm(p, f), 200, np.nan))
            )
        )
    ),
    "all leak": _with(
        lambda f: f.update(
            events=pd.DataFrame(
                {"patient_id": f["episodes"]["patient_id"], "type": "cement_leakage_disc", "day": 3}
            )
        )
    ),
    "fractures of one age": _with(_set("episodes", fracture_age_days=10)),
    "treated on the last day": _with(
        lambda f: f.update(
            episodes=f["episodes"].assign(
                treatment_day=f["episodes"]["followup_end_day"].where(
                    f["episodes"]["treatment"] == "KP"
                )
            )
        )
    ),
}


@cache
def cohort_of(name: str) -> vo.Cohort:
    return vo.Cohort.from_frames(**MAKERS[name]())


def changed(cohort: vo.Cohort, **tables: Callable[[pd.DataFrame], pd.DataFrame]) -> vo.Cohort:
    """The cohort with some of its tables changed."""
    frames = {
        name: cohort.frame(name)
        for name in ("patients", "episodes", "levels", "scores", "events", "fractures")
    }
    return vo.Cohort.from_frames(**{**frames, **{n: f(frames[n]) for n, f in tables.items()}})


def dated(cohort: vo.Cohort) -> vo.Cohort:
    """Procedures a day apart, and a risk of each patient."""
    return changed(
        cohort,
        episodes=lambda t: t.assign(
            treatment_date=pd.date_range("2021-03-01", periods=len(t)), treatment_day=0
        ),
        patients=lambda t: t.assign(age_risk=(t["age_years"] / 120).clip(1e-9, 1 - 1e-9)),
    )


def some_unseen(cohort: vo.Cohort) -> vo.Cohort:
    """Every third patient without the last score."""

    def without(scores: pd.DataFrame) -> pd.DataFrame:
        thirds = sorted(scores["patient_id"].unique())[::3]
        return scores[~(scores["patient_id"].isin(thirds) & (scores["day"] > 60))]

    return changed(cohort, scores=without)


def shared(cohort: vo.Cohort, site: str) -> SiteBundle:
    return vo.site_summary(cohort, site=site, **ARMS, day=90, smallest_count=2)


@cache
def ordinary_sites() -> tuple[SiteBundle, ...]:
    return tuple(
        shared(vo.Cohort.from_frames(**ordinary(n=80, seed=seed)), f"ordinary {seed}")
        for seed in (6, 7)
    )


COVARIATES = ["baseline", "age_years", "sex"]
CALLS = {
    "compare": {
        **{m: lambda c, m=m: vo.compare(c, **QUESTION, method=m) for m in vo.METHODS},
        **{
            f"{m}, adjusted": lambda c, m=m: vo.compare(
                c, **QUESTION, method=m, covariates=COVARIATES
            )
            for m in vo.METHODS
        },
        "spread over sites": lambda c: vo.compare(
            c, **QUESTION, method="ancova", covariates=["baseline", "site"]
        ),
        **{
            missing: lambda c, missing=missing: vo.compare(
                some_unseen(c), **QUESTION, method="ancova", missing=missing, n_imputations=3
            )
            for missing in ("multiple_imputation", "jump_to_reference")
        },
    },
    "compare_methods": {"all": lambda c: vo.compare_methods(c, **QUESTION)},
    "compare_arms": {
        m: lambda c, m=m: vo.compare_arms(
            c, outcome="pain_vas", arms=["KP", "NSM"], day=90, method=m, covariates=COVARIATES
        )
        for m in ("overlap_weighting", "ate_weighting", "matching_weighting")
    },
    "responders": {
        "better": lambda c: vo.responders(c, **QUESTION),
        "weighted": lambda c: vo.responders(
            c, **QUESTION, method="overlap_weighting", covariates=COVARIATES
        ),
    },
    "area_under_curve": {
        "mmrm": lambda c: vo.area_under_curve(c, outcome="pain_vas", **ARMS, day=90)
    },
    "effect_by": {
        "fracture age": lambda c: vo.effect_by(c, **QUESTION, modifier="fracture_age_days", cut=14),
        "age, straight": lambda c: vo.effect_by(
            c, **QUESTION, modifier="age_years", continuous="linear"
        ),
        "age, curved": lambda c: vo.effect_by(
            c, **QUESTION, modifier="age_years", continuous="spline"
        ),
    },
    "negative_controls": {
        "ancova": lambda c: vo.negative_controls(
            c, controls=["pain_vas"], **ARMS, day=90, method="ancova"
        )
    },
    "timing_claims": {"default": lambda c: vo.timing_claims(c, **QUESTION)},
    "cumulative_incidence": {
        **{
            f"{e} {v}": lambda c, e=e, v=v: vo.cumulative_incidence(c, event=e, variance=v)
            for e in ("fracture", "adjacent_fracture")
            for v in ("infinitesimal_jackknife", "aalen")
        },
        "weighted": lambda c: vo.cumulative_incidence(
            c, adjust="overlap_weighting", covariates=["age_years"]
        ),
        "sites": lambda c: vo.cumulative_incidence(c, cluster="site"),
        "plain": lambda c: vo.cumulative_incidence(c, transform="plain"),
    },
    "adjacent_fractures": {
        **{
            m: lambda c, m=m: vo.adjacent_fractures(c, **ARMS, method=m)
            for m in ("fine_gray", "cox", "gray", "rmtl")
        },
        **{
            f"{m}, adjusted": lambda c, m=m: vo.adjacent_fractures(
                c, **ARMS, method=m, covariates=["age_years", "sex"]
            )
            for m in ("fine_gray", "cox")
        },
        "weighted": lambda c: vo.adjacent_fractures(
            c, **ARMS, method="cox", adjust="ate_weighting", covariates=["age_years"]
        ),
        "sites": lambda c: vo.adjacent_fractures(c, **ARMS, cluster="site", event="fracture"),
    },
    "recurrent_fractures": {
        "plain": lambda c: vo.recurrent_fractures(c, **ARMS),
        "adjusted": lambda c: vo.recurrent_fractures(
            c, **ARMS, covariates=["age_years"], cluster="site"
        ),
        "weighted": lambda c: vo.recurrent_fractures(
            c, **ARMS, adjust="overlap_weighting", covariates=["age_years"]
        ),
    },
    "mortality": {
        "plain": lambda c: vo.mortality(c, **ARMS),
        "adjusted": lambda c: vo.mortality(c, **ARMS, covariates=["age_years", "sex"]),
        "weighted": lambda c: vo.mortality(
            c, **ARMS, adjust="att_weighting", covariates=["age_years"]
        ),
    },
    "vertebra_fractures": {
        "cluster": vo.vertebra_fractures,
        "frailty": lambda c: vo.vertebra_fractures(c, variance="frailty"),
    },
    "complication_rates": {
        **{
            ci: lambda c, ci=ci: vo.complication_rates(c, ci=ci)
            for ci in ("wilson", "clopper_pearson", "jeffreys")
        },
        **{
            unit: lambda c, unit=unit: vo.complication_rates(c, unit=unit)
            for unit in ("episodes", "levels")
        },
        "years": lambda c: vo.complication_rates(c, per="person_years"),
        "thirty days": lambda c: vo.complication_rates(c, within_days=30),
    },
    "compare_complications": {
        m: lambda c, m=m: vo.compare_complications(
            c,
            **ARMS,
            measure="OR" if m == "firth" else "RD",
            method=m,
            covariates=["age_years"]
            if m in ("firth", "overlap_weighting", "g_computation")
            else None,
        )
        for m in (
            "newcombe",
            "score",
            "exact",
            "mantel_haenszel",
            "firth",
            "overlap_weighting",
            "g_computation",
        )
    },
    "analyse_registry": {"default": lambda c: vo.analyse_registry(c, day=90)},
    "balance": {
        m: lambda c, m=m: vo.balance(c, **ARMS, covariates=["age_years", "sex"], method=m)
        for m in ("overlap_weighting", "ate_weighting", "att_weighting")
    },
    "sustained_relief": {
        "plain": lambda c: vo.sustained_relief(c, **QUESTION),
        "weighted": lambda c: vo.sustained_relief(
            c, **QUESTION, method="overlap_weighting", covariates=COVARIATES
        ),
        "low": lambda c: vo.sustained_relief(c, **QUESTION, response="at_most_3", days=[7, 30]),
    },
    "complication_chart": {
        "own rate": lambda c: vo.complication_chart(dated(c), rate=0.3, treatment="KP"),
        "a risk each": lambda c: vo.complication_chart(
            dated(c), risk="age_risk", treatment="KP", average_run_length=50.0
        ),
    },
    "complication_definitions": {
        prior: lambda c, prior=prior: vo.complication_definitions(c, treatment="KP", prior=prior)
        for prior in ("jeffreys", "uniform")
    },
    "complication_ranking": {
        unit: lambda c, unit=unit: vo.complication_ranking(c, treatment="KP", unit=unit)
        for unit in ("patients", "episodes")
    },
    "delta_adjusted": {
        f"{method}, {missing}": lambda c, method=method, missing=missing: vo.delta_adjusted(
            some_unseen(c), **QUESTION, method=method, missing=missing, n_imputations=2
        )
        for method, missing in (
            ("unadjusted", "multiple_imputation"),
            ("ancova", "jump_to_reference"),
        )
    },
    "site_summary": {"default": lambda c: vo.site_summary(c, site="A", **ARMS, day=90)},
    "combine_sites": {
        "with ordinary ones": lambda c: vo.combine_sites([shared(c, "A"), *ordinary_sites()]),
        "twice the same": lambda c: vo.combine_sites([shared(c, "A"), shared(c, "B")]),
    },
}
CALLS |= calls_by_signature(
    "comparisons.",
    tried=set(CALLS),
    subject="cohort",
    known={
        **QUESTION,
        "covariates": ["age_years"],
        "by": "treatment",
        "arms": ["KP", "NSM"],
        "site": "A",
        "rate": 0.03,
    },
)
