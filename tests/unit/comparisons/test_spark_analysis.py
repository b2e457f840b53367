"""The same analysis on a Spark session in local mode: Spark joins and counts, the numbers are equal."""

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.follow_up import follow_patients
from vertebro_outcomes.comparisons.registry_claims import registry_claims

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]  # of the JVM, not ours
ARMS = {"treatment": "KP", "comparator": "VP"}
TERMS = ["age_years", "sex"]


def numbers(found):
    """Estimate, interval and every line of the balance."""
    row = found.to_frame().select_dtypes("number").iloc[0].add_prefix("result ")
    return pd.concat([row, found.balance.set_index("covariate").stack()]).to_frame("value")


QUESTIONS = {
    "incidence": lambda c: vo.cumulative_incidence(c, event="adjacent_fracture").at([90, 365]),
    "weighted incidence": lambda c: vo.cumulative_incidence(
        c, by="sex", covariates=["age_years"], adjust="ate_weighting"
    ).at([90, 365]),
    "gray": lambda c: pd.DataFrame({"p": [vo.cumulative_incidence(c).gray_p_value]}),
    "cox": lambda c: vo.adjacent_fractures(c, **ARMS, method="cox", covariates=TERMS).coefficients,
    "fine_gray": lambda c: (
        vo.adjacent_fractures(c, **ARMS, covariates=TERMS, cluster="site").coefficients
    ),
    "mortality": lambda c: vo.mortality(c, **ARMS, covariates=TERMS).periods,
    "rates": lambda c: vo.complication_rates(c, by="site").to_frame(),
    "rates per procedure": lambda c: vo.complication_rates(c, unit="episodes").to_frame(),
    "rates per year": lambda c: vo.complication_rates(c, per="person_years").to_frame(),
    "rates per level": lambda c: vo.complication_rates(c, unit="levels").to_frame(),
    "balance": lambda c: vo.balance(c, **ARMS, covariates=TERMS).to_frame(),
    "rates of those kept": lambda c: vo.complication_rates(
        c.keep(c.patients.age_years >= 75, because="old")
    ).to_frame(),
    "overlap weights": lambda c: numbers(
        vo.compare(c, outcome="pain_vas", day=90, **ARMS, method="overlap_weighting")
    ),
    "mixed model": lambda c: (
        vo.compare(c, outcome="pain_vas", day=90, **ARMS, method="mmrm").by_visit
    ),
    "complications compared": lambda c: vo.compare_complications(c, **ARMS).to_frame(),
    "complications by pattern": lambda c: vo.compare_complications(
        c, **ARMS, method="overlap_weighting", covariates=TERMS, within_days=90
    ).to_frame(),
    "complications over sites": lambda c: vo.compare_complications(
        c, **ARMS, method="mantel_haenszel"
    ).to_frame(),
    "sites": lambda c: vo.complication_sites(c, kind="with_symptoms").to_frame(),
    "site bundle": lambda c: pd.DataFrame(
        vo.site_summary(c, site="A", day=90, **ARMS).complications
    ),
    "recurrent fractures": lambda c: (
        vo.recurrent_fractures(c, **ARMS, covariates=TERMS, cluster="site").coefficients
    ),
    "vertebrae": lambda c: (
        vo.vertebra_fractures(
            c, covariates=["distance", "cement_ml", "kyphosis_correction_deg", *TERMS]
        ).coefficients
    ),
    "rates of vertebrae": lambda c: vo.vertebra_fractures(c).incidence,
    "trial from presentation": lambda c: numbers(
        vo.compare(
            c,
            method="clone_censor_weight",
            failed="show",
            design=vo.Design(
                "death", "VA", "NSM", day=180, time_zero="presentation", grace_days=42
            ),
        )
    ),
    "imputed": lambda c: numbers(
        vo.compare(
            c,
            outcome="pain_vas",
            day=90,
            **ARMS,
            method="ancova",
            n_imputations=2,
            missing="multiple_imputation",
        )
    ),
    "definitions": lambda c: vo.complication_definitions(c).rates,
    "ranking": lambda c: vo.complication_ranking(c, unit="episodes").ranks,
    "claims": lambda c: registry_claims(c, day=90)[0],
    "coverage": lambda c: c.coverage(),
    "quality": lambda c: c.quality(),
}
EACH_TIME = {"fine_gray", "weighted incidence", "balance"}  # a minute; all of them take several


@pytest.fixture(scope="module")
def cohorts(spark, tmp_path_factory):
    made, _ = vo.simulate_registry(n_patients=1500, seed=2)
    frames = {name: made.frame(name) for name in made.tables}
    again = frames["episodes"].iloc[:20].assign(episode_id=lambda d: d["episode_id"] + "z")
    frames["episodes"] = pd.concat([frames["episodes"], again], ignore_index=True)
    folder = tmp_path_factory.mktemp("registry") / "canonical"
    vo.Cohort.from_frames(**frames, synthetic=True).write(folder)
    return vo.load(folder), vo.load(folder, engine=spark)


@pytest.mark.parametrize(
    "name",
    [q if q in EACH_TIME else pytest.param(q, marks=pytest.mark.slow) for q in QUESTIONS],
)
def test_equal_on_spark_and_on_the_embedded_engine(cohorts, name):
    expected, found = (QUESTIONS[name](cohort) for cohort in cohorts)
    assert len(expected)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-8, atol=1e-12, check_dtype=False)


def test_only_patterns_leave_spark(cohorts, monkeypatch):
    """No table of the size of the cohort is fetched for curves, rates and models."""
    import ibis.expr.types as ir

    fetched = []
    fetch = ir.Table.to_pyarrow

    def noted(self, *args, **kwargs):
        table = fetch(self, *args, **kwargs)
        fetched.append(table.num_rows)
        return table

    monkeypatch.setattr(ir.Table, "to_pyarrow", noted)
    embedded, cohort = cohorts
    vo.complication_rates(cohort, by="site")
    vo.balance(cohort, **ARMS, covariates=["sex"])
    assert max(fetched) < 60
    rows, _ = follow_patients(embedded, event="fracture", function="test")
    fetched.clear()
    vo.cumulative_incidence(cohort)
    assert max(fetched) == rows.groupby(["treatment", "days", "cause"]).ngroups
