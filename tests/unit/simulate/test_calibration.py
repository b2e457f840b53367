"""The simulated registry beside the published profile.

The tolerance follows one rule, stated before anything was compared: the largest of two standard
errors of the published figure, five percentage points (half of a share below 5 %), and a quarter of
the published SD of a mean; where several reports print a figure, anything between the lowest and
the highest of them, widened by that. What lies outside is listed with its reason and must stay so.
"""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.unit.simulate.sheets import evaluated
from vertebro_outcomes.simulate.model_page import model_page
from vertebro_outcomes.simulate.parameters import PARAMETERS
from vertebro_outcomes.simulate.registry import simulated_frames
from vertebro_outcomes.simulate.truth import true_effects

# Quantity -> figures as (row, how): percent or share are shares, mean carries the row's SD.
FIGURES = {
    "age mean": [f"profile mean {line}" for line in (38, 73, 88, 142, 210, 277, 283, 287, 299, 320)],
    "age sd": [f"profile sd {line}" for line in (39, 74, 91, 143, 278, 284)],
    "female": [f"profile percent {line}" for line in (40, 60, 75, 94, 144, 242)],
    "smoker": ["profile percent 97"],
    "share NSM": ["profile percent 30"],
    "share VP": ["profile percent 31"],
    "share KP": ["profile percent 32"],
    "fracture younger than 2 weeks": ["profile share 254"],
    "fracture 2 to 6 weeks": ["profile share 255"],
    "fracture older than 6 weeks": ["profile share 256"],
    "thoracic": ["profile share 257"],
    "previous fracture": ["profile share 265"],
    "pain at least 8": ["profile share 297", "profile share 298", "profile share 305", "profile share 313"],
    "survival NSM 90": ["profile percent 16"],
    "survival NSM 180": ["profile percent 17"],
    "survival NSM 365": ["profile percent 19"],
    "survival NSM 730": ["profile percent 20"],
    "survival NSM 1095": ["profile percent 13", "profile percent 21", "profile percent 27"],
    "survival NSM 1460": ["profile percent 3"],
    "survival NSM 1825": ["profile percent 14"],
    "survival VP 1095": ["profile percent 28"],
    "survival VP 1460": ["profile percent 4"],
    "survival VP 1825": ["profile percent 34"],
    "survival KP 1095": ["profile percent 29"],
    "survival KP 1460": ["profile percent 5"],
    "survival KP 1825": ["profile percent 33"],
    "death KP 30": ["profile percent 78", "profile percent 80", "profile percent 84"],
    "new fracture NSM 365": ["profile percent 233", "binary share 32"],
    "new fracture VP 365": ["profile percent 207", "binary share 31", "binary share 67", "binary share 259"],
    "new fracture KP 365": ["profile percent 216", "profile percent 225", "binary share 66"],
    "new fracture VP 730": ["binary share 69", "binary share 136"],
    "new fracture KP 730": ["binary share 68", "binary share 136"],
    "adjacent fracture VP 365": ["profile percent 208"],
    "adjacent fracture KP 90": ["binary share 134"],
    "leak on CT, VP with cleft": ["profile percent 167"],
    "leak on CT, VP without cleft": ["profile percent 168"],
    "leak on CT, KP": ["binary share 178", "binary share 70"],
    "leak recorded, VP": ["profile percent 209", "binary share 159"],
    "leak recorded, KP": ["binary share 225", "binary share 167", "profile percent 147"],
    "infection VP": ["binary share 172"],
    "cement embolism VP": ["binary share 171"],
    "urinary infection KP": ["profile-n share 166"],
    "pain NSM 30": ["continuous mean 369", "continuous mean 64"],
    "pain VP 30": ["continuous mean 368", "continuous mean 74", "continuous mean 58"],
    "pain KP 30": ["continuous mean 73"],
    "pain NSM 365": ["continuous mean 371", "continuous mean 232"],
    "pain VP 365": ["continuous mean 370", "continuous mean 76", "continuous mean 220"],
    "pain KP 365": ["continuous mean 75", "continuous mean 125"],
    "pain sd NSM 30": ["continuous sd 369"],
    "pain sd VP 365": ["continuous sd 370"],
    "at most 3 points NSM 365": ["binary share 41"],
    "rmdq KP 30": ["continuous mean 81"],
    "rmdq VP 365": ["continuous mean 86"],
    "rmdq NSM 30": ["continuous mean 54"],
    "odi VP 30": ["continuous mean 61"],
    "eq5d NSM 365": ["continuous mean 161"],
    "followed one year VP": ["binary share 39", "binary share 49"],
    "followed one year NSM": ["binary share 40", "binary share 50"],
    "correlation of EQ-5D and ODI": ["profile value 273"],
}  # fmt: skip
DEVIATIONS = {
    "survival NSM 1825": "Lau's 30.9 % after Edidin's 50 % at four years: claims of other years disagree",
    "survival VP 1095": "Chen's survival is lower in every arm than RTI's and Edidin's, which are met",
    "survival KP 1095": "Chen's survival is lower in every arm than RTI's and Edidin's, which are met",
    "survival VP 1825": "German insured; Edidin's figures at four years are met",
    "survival KP 1825": "German insured; Edidin's figures at four years are met",
    "adjacent fracture KP 90": "the day of the row is the mean time to the fracture, not the follow-up",
    "pain KP 30": "KP minus VP is Evans's, but the level is Klazen's, who ended a point lower",
    "rmdq NSM 30": "Berenson: patients with cancer, who did not improve",
    "odi VP 30": "Su 2017 began at 39 points, the line through Kumar 2010 at 54",
    "at most 3 points NSM 365": "pain one year later is skewed: many have none; the model is normal",
}
SHEET = {"profile": "cohort_profile", "binary": "arm_binary", "continuous": "arm_continuous"}


def published(figure: str) -> tuple[float, float]:
    """Value and tolerance of one printed figure, in percent or in the unit of the mean."""
    sheet, how, line = figure.split()
    row = f"{SHEET.get(sheet, 'arm_binary')}[{line}]"
    if how in ("percent", "share"):
        total = "cohort_profile[142].n" if sheet == "profile-n" else f"{row}.n"
        part = f"{row}.value" if sheet == "profile" else f"{row}.events"
        share = evaluated(f"{row}.value / 100" if how == "percent" else f"{part} / {total}")
        n = _n(total)
        error = math.sqrt(share * (1 - share) / n) if n else 0.0
        least = 0.05 if share >= 0.05 else 0.5 * share
        return 100 * share, 100 * max(2 * error, least)
    value = evaluated(f"{row}.{'value' if sheet == 'profile' else how}")
    if how == "value":
        return value, 2 * (1 - value**2) / math.sqrt(_n(f"{row}.n"))
    if how == "sd":
        return value, max(0.15 * value, 2 * value / math.sqrt(2 * (_n(f"{row}.n") or 1e9)))
    sd = _number(f"{row}.sd") or {"profile": 10.0, "continuous": 2.5}[sheet]
    n = _n(f"{row}.n")
    return value, max(0.25 * sd, 2 * sd / math.sqrt(n) if n else 0.0)


def _number(expression: str) -> float:
    try:
        return evaluated(expression)
    except (ValueError, AttributeError):
        return 0.0


_n = _number


@pytest.fixture(scope="module")
def simulated():
    values = patients_and_images(simulated_frames(n_patients=20_000, seed=7, scenario="confounded"))
    values |= course(simulated_frames(n_patients=20_000, seed=8, scenario="randomised"))
    truth = true_effects("confounded").to_frame()
    truth = truth[truth.comparator == ""].set_index(["outcome", "treatment", "day"])["value"]
    for name, outcome in (
        ("survival", "death"), ("new fracture", "new_vertebral_fracture"),
        ("adjacent fracture", "adjacent_fracture"),
    ):  # fmt: skip
        for arm in ("NSM", "VP", "KP"):
            for day in (90, 180, 365, 730, 1095, 1460, 1825):
                values[f"{name} {arm} {day}"] = 100 * truth[outcome, arm, day]
    values["death KP 30"] = 100 - 100 * truth["death", "KP", 30]
    values["infection VP"] = 100 * truth["infection", "VP", 30]
    values["cement embolism VP"] = 100 * truth["pulmonary_cement_embolism", "VP", 30]
    values["urinary infection KP"] = 100 * truth["urinary_tract_infection", "KP", 30]
    return values


def patients_and_images(frames) -> dict[str, float]:
    p, e, levels = frames["patients"], frames["episodes"], frames["levels"]
    share = lambda rows: 100 * float(rows.mean())  # noqa: E731
    values = {
        "age mean": p.age_years.mean(), "age sd": p.age_years.std(), "female": share(p.sex == "female"),
        "smoker": share(p.smoker), "previous fracture": share(p.prior_fractures > 0),
        "thoracic": share(levels.level.str.startswith("T")),
    }  # fmt: skip
    age = -e.fracture_day  # at day 0, as the sheet has it for the day of the procedure
    values["fracture younger than 2 weeks"] = share(age < 14)
    values["fracture 2 to 6 weeks"] = share((age >= 14) & (age < 42))
    values["fracture older than 6 weeks"] = share(age >= 42)
    s = frames["scores"]
    start = s[(s.instrument == "pain_vas") & (s.day == 0)]
    values["pain at least 8"] = share(start.value >= 8)
    for arm in ("NSM", "VP", "KP"):
        values[f"share {arm}"] = share(e.treatment == arm)
    for arm in ("VP", "KP"):
        rows = levels[levels.episode_id.isin(e.episode_id[e.treatment == arm])]
        leaks, ct = rows.leakage != "none", rows.leakage_detected_by == "CT"
        values[f"leak recorded, {arm}"] = share(leaks)
        values[f"leak on CT, {arm}"] = share(leaks[ct])
        values[f"leak on CT, {arm} with cleft"] = share(leaks[ct & rows.cleft])
        values[f"leak on CT, {arm} without cleft"] = share(leaks[ct & ~rows.cleft])
    return values


def course(frames) -> dict[str, float]:
    e, s = frames["episodes"].set_index("episode_id"), frames["scores"]
    s = s.assign(arm=s.episode_id.map(e.treatment))
    values = {}
    for (instrument, arm, day), rows in s.dropna(subset="value").groupby(
        ["instrument", "arm", "day"]
    ):
        name = "pain" if instrument == "pain_vas" else instrument
        values[f"{name} {arm} {day}"] = rows.value.mean()
        values[f"{name} sd {arm} {day}"] = rows.value.std()
    late = s[(s.instrument == "pain_vas") & (s.day == 365) & s.value.notna()]
    values["at most 3 points NSM 365"] = 100 * (late.value[late.arm == "NSM"] <= 3).mean()
    wide = s[s.value.notna()].pivot_table(
        index=["episode_id", "day"], columns="instrument", values="value"
    )
    values["correlation of EQ-5D and ODI"] = wide["eq5d"].corr(wide["odi"])
    for arm in ("VP", "NSM"):
        values[f"followed one year {arm}"] = (
            100 * (e.followup_end_day[e.treatment == arm] >= 365).mean()
        )
    return values


@pytest.mark.parametrize("quantity", FIGURES)
def test_published_figure(simulated, quantity, request):
    if quantity in DEVIATIONS:
        reason = DEVIATIONS[quantity]
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    bands = [published(figure) for figure in FIGURES[quantity]]
    low = min(value - slack for value, slack in bands)
    high = max(value + slack for value, slack in bands)
    assert low <= simulated[quantity] <= high, (
        f"{simulated[quantity]:.3g} outside {low:.3g} to {high:.3g}"
    )


def test_the_table_is_whole():
    assert len(FIGURES) >= 50
    assert set(DEVIATIONS) <= set(FIGURES)
    assert len(DEVIATIONS) < len(FIGURES) / 4


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_what_its_rows_say(name):
    parameter = PARAMETERS[name]
    assert np.isfinite(parameter.value)
    assert parameter.meaning
    if parameter.source != "assumed":
        found = evaluated(parameter.source)
        assert parameter.value == pytest.approx(found, rel=0.01, abs=0.003), parameter.source


def test_a_third_of_the_parameters_come_from_rows():
    taken = [p for p in PARAMETERS.values() if p.source != "assumed"]
    assert len(taken) >= len(PARAMETERS) / 3


def test_the_written_model_is_current():
    page = Path(__file__).parents[3] / "data" / "raw" / "registries" / "MODEL.md"
    assert page.read_text(encoding="utf-8") == model_page()
