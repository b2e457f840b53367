"""The numbers of the first page, computed again from lines of the sheets with numpy and pandas alone."""

import csv

import numpy as np
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.report.sections.summary import HEADLINES

Z = 1.959963984540054
# Question -> lines of the sheets by which the report answers it, read off by hand; "-" turns the sign.
LINES = {
    "pain_vp_sham_1m": ["means 372 373", "-means 374 375", "-contrast 17"],
    "pain_vp_sham_12m": ["-contrast 8", "-contrast 20", "-contrast 23", "-contrast 26"],
    "pain_vp_nsm_1m": ["means 368 369"],
    "pain_vp_nsm_12m": ["means 370 371"],
    "pain_kp_nsm_12m": ["-contrast 40"],
    "complication_any_vp": ["share 90", "share 176", "share 232"],
    "leakage_vp": [f"share {n}" for n in (145, 148, 169, 216, 221, 266, 315)],
    "decompression_vp": ["share 156"],
    "death_vp_sham": ["risk 241 17"],
    "fracture_vp_sham": ["odds 2 3", "ratio 21"],
    "fracture_vp_nsm": ["odds 31 32", "odds 64 65", "ratio 33"],
    "pain_kp_vp_1m": ["means 73 74"],
    "pain_kp_vp_12m": ["means 75 76"],
    "fracture_kp_vp": ["odds 66 67"],
    "leakage_kp_vp_levels": ["risk 70 71"],
}
RANDOMISED = {"evans2016": {"KP": 59, "VP": 56}}  # stands in where no n at follow-up is printed
QUICK = {"pain_vp_sham_1m", "fracture_vp_nsm"}  # the others only with the slow tests
SHEETS = {
    "means": "arm_continuous", "contrast": "contrasts", "ratio": "contrasts",
    "share": "arm_binary", "risk": "arm_binary", "odds": "arm_binary",
}  # fmt: skip


@pytest.fixture(scope="module")
def sheets(request):
    folder = request.config.rootpath / "data" / "raw" / "literature"
    out = {}
    for name in set(SHEETS.values()):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            out[name] = dict(enumerate(csv.DictReader(file), start=2))
    return out


@pytest.fixture(scope="module")
def literature(request):
    return vo.load_literature(request.config.rootpath / "data" / "raw" / "literature")


def effect(text, sheets):
    """Effect and variance of one study, on the scale on which it is pooled."""
    kind, *numbers = text.removeprefix("-").split()
    rows = [sheets[SHEETS[kind]][int(number)] for number in numbers]
    sign = -1.0 if text.startswith("-") else 1.0
    if kind == "means":
        means, sds = ([float(row[name]) for row in rows] for name in ("mean", "sd"))
        ns = [float(row["n"] or RANDOMISED[row["study_id"]][row["arm"]]) for row in rows]
        return sign * (means[0] - means[1]), sum(s**2 / n for s, n in zip(sds, ns, strict=True))
    if kind in ("contrast", "ratio"):
        values = [float(rows[0][name]) for name in ("estimate", "ci_low", "ci_high")]
        if kind == "ratio":
            values = list(np.log(values))
        return sign * values[0], ((values[2] - values[1]) / (2 * Z)) ** 2
    x, n = (np.array([float(row[name]) for row in rows]) for name in ("events", "n"))
    if kind == "risk":
        return np.log(x / n) @ [1, -1], np.sum(1 / x - 1 / n)
    logits, variances = np.log(x / (n - x)), 1 / x + 1 / (n - x)
    return (logits[0], variances[0]) if kind == "share" else (logits @ [1, -1], variances.sum())


def pooled(y, v):
    """Random effects: the restricted likelihood written out, its highest place sought by bisection."""

    def slope(tau2):  # derivative of the restricted log likelihood, doi:10.1002/jrsm.1164
        w = 1 / (v + tau2)
        mu = w @ y / w.sum()
        return 0.5 * (w**2 @ (y - mu) ** 2 - w.sum() + w @ w / w.sum())

    low, high = 0.0, 100.0
    if len(y) == 1 or slope(0.0) <= 0:
        high = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    w = 1 / (v + high)
    mu, half = w @ y / w.sum(), Z / np.sqrt(w.sum())
    return mu, mu - half, mu + half


def test_no_number_of_the_first_page_is_missing_here():
    assert set(LINES) == {name for headline in HEADLINES for name in headline.results}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in LINES],
)
def test_the_first_page_follows_from_the_sheets(name, sheets, literature):
    question = next(question for question in vo.QUESTIONS if question.id == name)
    fit = vo.answer(question, literature).pooled
    y, v = np.array([effect(text, sheets) for text in LINES[name]]).T
    assert fit.k == len(y)
    assert [fit.estimate, fit.ci_low, fit.ci_high] == pytest.approx(
        pooled(y, v), rel=1e-6, abs=1e-8
    )
