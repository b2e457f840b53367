"""The simulated registry beside the published profile: figure, sheet row, tolerance, deviation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.simulate.parameters import PARAMETERS
from vertebro_outcomes.simulate.registry import simulated_frames
from vertebro_outcomes.simulate.truth import true_effects

SHEET = Path(vo.__file__).parents[1] / "data/raw/literature/cohort_profile.csv"
LITERATURE = SHEET.parent

# study, variable, arm, statistic, simulated quantity, tolerance, why it deviates
FIGURES = [
    ("gold2023", "age_years", "all", "mean", "age mean", 5.0, "Medicare: 65 and over only"),
    ("gold2023", "age_years", "all", "sd", "age sd", 1.5, ""),
    ("toy2014", "age_years", "VP+KP", "mean", "age mean", 2.5, ""),
    ("pmc3395994", "age_years", "KP", "mean", "age mean", 2.0, ""),
    ("kallmes2009", "age_years", "all", "mean", "age mean", 4.0, "trial"),
    ("kallmes2009", "age_years", "all", "sd", "age sd", 1.0, ""),
    ("alali", "age_years", "VP", "mean", "age mean", 1.5, ""),
    ("toy2014", "female", "VP+KP", "percent", "female", 2.5, ""),
    ("hubschle2014", "female", "KP", "percent", "female", 3.5, ""),
    ("pmc3395994", "female", "KP", "percent", "female", 2.0, ""),
    ("jnis_kp_vp_rct", "female", "all", "percent", "female", 2.5, ""),
    ("jnis_kp_vp_rct", "smoker_current", "all", "percent", "smoker", 1.0, ""),
    ("chen2013", "share_of_treatment", "NSM", "percent", "share NSM", 3.0, ""),
    ("chen2013", "share_of_treatment", "VP", "percent", "share VP", 3.0, ""),
    ("chen2013", "share_of_treatment", "KP", "percent", "share KP", 3.0, ""),
    ("rti_vcf_conf", "survival_3m", "all VCF", "percent", "survival NSM 90", 2.0, ""),
    ("rti_vcf_conf", "survival_6m", "all VCF", "percent", "survival NSM 180", 2.0, ""),
    ("rti_vcf_conf", "survival_12m", "all VCF", "percent", "survival NSM 365", 2.0, ""),
    ("rti_vcf_conf", "survival_24m", "all VCF", "percent", "survival NSM 730", 2.0, ""),
    ("rti_vcf_conf", "survival_36m", "all VCF", "percent", "survival NSM 1095", 2.5, ""),
    ("edidin2011", "survival_adjusted_4y", "NSM", "percent", "survival NSM 1460", 9, "RTI is met"),
    ("edidin2011", "survival_adjusted_4y", "VP", "percent", "survival VP 1460", 7.5, "RTI is met"),
    ("edidin2011", "survival_adjusted_4y", "KP", "percent", "survival KP 1460", 6.5, "RTI is met"),
    ("lange2014", "survival_adjusted_60m", "VP", "percent", "survival VP 1825", 3.0, ""),
    ("lange2014", "survival_adjusted_60m", "KP", "percent", "survival KP 1825", 5.0, ""),
    ("alali", "new_vertebral_fracture_1y", "VP", "percent", "new VP 365", 2.5, ""),
    ("moon2007", "new_vertebral_fracture_1y_km", "KP", "percent", "new KP 365", 2.5, ""),
    ("ryu2014", "new_vertebral_fracture_1y", "KP", "percent", "new KP 365", 9.5, "81 patients"),
    (
        "lindsay2001", "new_vertebral_fracture_year_after_incident", "NSM (placebo)", "percent",
        "new NSM 365", 5.6, "half the printed interval; death competes here",
    ),
    ("alali", "adjacent_fracture_1y", "VP", "percent", "adjacent VP 365", 3.0, ""),
    ("pmc8449924", "cement_leakage_any", "VP_nocleft", "percent", "CT leak, no cleft", 6.0, "3 SE of 490"),
    ("pmc8449924", "cement_leakage_any", "VP_cleft", "percent", "CT leak, cleft", 9.0, "2 SE of 120"),
    ("alali", "cement_leakage_levels", "VP", "percent", "leak recorded VP", 6.0, "a quarter had CT"),
    ("liao2018", "infection", "VP", "percent", "infection VP", 0.05, ""),
    ("hubschle2014", "levels_treated", "KP", "per patient", "levels", 0.03, ""),
    ("palmowski2020", "fracture_age_acute <2 weeks", "KP", "share", "acute", 5.0, ""),
    ("palmowski2020", "fracture_age_subacute 2-6 weeks", "KP", "share", "subacute", 4.0, ""),
    ("palmowski2020", "fracture_age_chronic 6-51 weeks", "KP", "share", "chronic", 5.0, ""),
    ("suzuki2009", "thoracic_fracture", "NSM", "share", "thoracic", 9.6, "two SE of 107"),
    ("suzuki2010", "previous_fracture", "NSM", "share", "previous", 3.0, ""),
    ("buchbinder2009", "pain_nrs_ge_8", "all", "share", "pain 8", 11.4, "two SE of 78 patients"),
    ("kallmes2009", "pain_nrs_ge_8", "all", "share", "pain 8", 8.7, "two SE of 131 patients"),
]  # fmt: skip


@pytest.fixture(scope="module")
def simulated():
    frames = simulated_frames(n_patients=20_000, seed=7, scenario="confounded")
    p, e, levels = frames["patients"], frames["episodes"], frames["levels"]
    vp = levels[levels.episode_id.isin(e.episode_id[e.treatment == "VP"])]
    ct = vp[vp.leakage_detected_by == "CT"]
    leaked = lambda rows: 100 * (rows.leakage != "none").mean()  # noqa: E731
    age = -e.fracture_day
    per_patient = levels[levels.treated].groupby("patient_id").size()
    values = {
        "age mean": p.age_years.mean(),
        "age sd": p.age_years.std(),
        "female": 100 * (p.sex == "female").mean(),
        "smoker": 100 * p.smoker.mean(),
        "CT leak, no cleft": leaked(ct[~ct.cleft]),
        "CT leak, cleft": leaked(ct[ct.cleft]),
        "leak recorded VP": leaked(vp),
        "levels": per_patient.mean(),
        "acute": 100 * (age < 14).mean(),
        "subacute": 100 * ((age >= 14) & (age < 42)).mean(),
        "chronic": 100 * (age >= 42).mean(),
        "thoracic": 100 * levels.level.str.startswith("T").mean(),
        "previous": 100 * (p.prior_fractures > 0).mean(),
        "pain 8": 100
        * (frames["scores"].query("instrument == 'pain_vas' and day == 0").value >= 8).mean(),
    }
    values |= {f"share {arm}": 100 * (e.treatment == arm).mean() for arm in ("NSM", "VP", "KP")}
    truth = true_effects("confounded").to_frame()
    truth = truth[truth.comparator == ""].set_index(["outcome", "treatment", "day"])["value"]
    for name, outcome in (
        ("survival", "death"),
        ("new", "new_vertebral_fracture"),
        ("adjacent", "adjacent_fracture"),
    ):
        values |= {
            f"{name} {arm} {day}": 100 * truth[outcome, arm, day]
            for arm in ("NSM", "VP", "KP")
            for day in (90, 180, 365, 730, 1095, 1460, 1825)
        }
    return values | {"infection VP": 100 * truth["infection", "VP", 30]}


@pytest.mark.parametrize(
    ("study", "variable", "arm", "statistic", "quantity", "tolerance", "why"),
    FIGURES,
    ids=[f"{f[0]}-{f[1]}-{f[2]}-{f[3]}" for f in FIGURES],
)
def test_published_figure(simulated, study, variable, arm, statistic, quantity, tolerance, why):
    sheet = pd.read_csv(SHEET)
    derived = statistic in ("share", "per patient")
    rows = sheet[(sheet.study_id == study) & (sheet.variable == variable) & (sheet.arm == arm)]
    row = rows[rows.statistic == ("count" if derived else statistic)].iloc[0]
    value = row.value / row.n * (100 if statistic == "share" else 1) if derived else row.value
    assert abs(simulated[quantity] - value) <= tolerance


def test_at_least_25_figures():
    assert len(FIGURES) >= 25


def test_sources_of_parameters_are_rows_of_the_sheets():
    for parameter in PARAMETERS.values():
        assert np.isfinite(parameter.value)
        if parameter.source != "assumed":
            name, line = parameter.source.split(":")
            lines = (LITERATURE / name).read_text(encoding="utf-8").splitlines()
            assert 2 <= int(line) <= len(lines), parameter
