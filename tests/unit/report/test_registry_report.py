"""A registry in the report: marked, disclosed only in large numbers, and never in the way of the rest."""

import itertools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests import shipped
from vertebro_outcomes.report.build import PAGE, build_report
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.registries import analyse_registries
from vertebro_outcomes.report.sections.registry_safety import _without_small_steps
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry

RAW = Path(__file__).parents[3] / "data" / "raw"
COUNTS = ("n", "of", "n_events", "n_t", "n_c", "n_at_risk", "n_patients", "n_VP", "n_KP", "n_NSM",
          "rows_in", "rows_used", "rows_rejected", "rows_ignored", "count")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("registries")
    cohort, _ = vo.simulate_registry(n_patients=1200, seed=3, scenario="confounded")
    cohort.write(place / "mine")
    (place / "mine" / "SOURCE.md").write_text("SYNTHETIC")
    return place


def report(registries, output, **how):
    build_report(
        shipped.literature(), shipped.answers(), **shipped.examined(), folder=output,
        inputs=inputs_of(RAW / "device_reports"), registries=registries,
        **{"formats": ("html",), **how},
    )  # fmt: skip
    return output


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    return report(analyse_registries(folder), tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def tables(written):
    found = sorted((written / "tables").glob("registry_*.csv"))
    assert len(found) >= 10
    return {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in found}


def test_no_small_count_leaves_in_any_table(tables):
    seen = 0
    for name, frame in tables.items():
        for column in (c for c in frame.columns if c in COUNTS):
            for text in frame[column]:
                if re.fullmatch(r"[\d,]+(\.0)?", text):
                    seen += 1
                    value = float(text.replace(",", ""))
                    is_sites = (frame.iloc[:, 0] == "sites reporting").any() and value < 10
                    assert value == 0 or value > 10 or is_sites, (name, column, text)
    assert seen > 50


def test_no_rate_stands_for_a_few_patients(tables):
    rates = tables["registry_mine_complications"]
    shown = rates[~rates["n_events"].isin(["hidden"])]
    assert (shown["rate"] != "hidden").all()
    assert (
        rates.loc[rates["n_events"] == "hidden", ["rate", "ci_low", "ci_high"]] == "hidden"
    ).all(axis=None)
    assert (rates["n_events"] == "hidden").any()


def test_every_file_and_picture_says_synthetic(written, tables):
    for name, frame in tables.items():
        ours = np.ones(len(frame), dtype=bool)
        if name.endswith("definitions"):  # the literature beside the registry is real
            ours = (frame["source"] == "registry").to_numpy()
            assert (frame.loc[~ours, "data"] == "published").all()
            assert ours.any()
        assert (frame.loc[ours, "data"] == "synthetic").all()
    pictures = sorted((written / "figures").glob("registry_*.svg"))
    assert len(pictures) >= 4
    assert all("SYNTHETIC DATA" in path.read_text("utf-8") for path in pictures)
    assert (written / PAGE).read_text("utf-8").count("SYNTHETIC DATA") >= 3


def test_no_identifier_of_a_patient_is_written(written):
    whole = "".join(
        p.read_text("utf-8") for p in written.rglob("*") if p.suffix in (".csv", ".svg", ".html")
    )
    assert not re.search(r"\bP[0-9a-f]{16}\b", whole)
    assert json.loads((written / "provenance.json").read_text())


def test_a_registry_of_ones_own_takes_the_place_of_the_synthetic_one(folder, tmp_path):
    shutil.copytree(folder / "mine", tmp_path / "demo")
    shutil.copytree(folder / "mine", tmp_path / "ours")
    (tmp_path / "ours" / "SOURCE.md").unlink()
    assert [r.name for r in analyse_registries(tmp_path)] == ["ours"]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.csv").write_text("a;b\n1;2\n")
    found = analyse_registries(tmp_path)
    assert [type(r) for r in found] == [UnreadRegistry, RegistryAnalysis]
    page = (report(found, tmp_path / "out") / PAGE).read_text("utf-8")
    assert "broken could not be read" in page
    assert "Coverage and follow-up" in page


def test_without_registries_the_report_says_so(tmp_path):
    assert analyse_registries(tmp_path / "none") == ()
    page = (report((), tmp_path / "out") / PAGE).read_text("utf-8")
    assert "No registry export could be read" in page


def test_what_the_data_cannot_support_is_said_without_counts(tmp_path):
    ids = [f"p{i}" for i in range(60)]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": ["VP"] * 57 + ["KP"] * 3}),
        name="few",
    )
    found = vo.analyse_registry(cohort)
    assert {"KP against VP, weighted", "complications"} <= {what for what, _ in found.failed}
    page = (report([found], tmp_path / "out") / PAGE).read_text("utf-8")
    assert "Could not be computed" in page
    flow = pd.read_csv(tmp_path / "out" / "tables" / "registry_few_flow.csv", dtype=str)
    assert flow.loc[0, "n_KP"] == "hidden"
    with pytest.raises(vo.InputError, match="a Cohort"):
        vo.analyse_registry("nothing")


def test_no_step_from_day_to_day_stands_for_a_few_patients(tables):
    lines = tables["registry_mine_fractures"]
    sizes = {"VP": None, "KP": None, "NSM": None}
    for arm, rows in lines.groupby("treatment", sort=False):
        assert arm in sizes
        shown = [int(v) for v in rows["n_at_risk"] if v != "hidden"]
        assert all(a - b == 0 or a - b > 10 for a, b in itertools.pairwise(shown))
    assert (lines["n_at_risk"] != "hidden").any()


def test_steps_between_days_are_counted_from_the_last_that_is_shown():
    rows = pd.DataFrame(
        {"arm": ["A"] * 4, "n": 40, "events": [0, 4, 12, 15], "n_at_risk": [40, 36, 28, 10]}
    )
    safe = rows.assign(estimate=[0.0, 0.1, 0.3, 0.4], se=0.1, ci_low=0.0, ci_high=0.5).astype(
        object
    )
    out = _without_small_steps(rows, safe, by="arm", most=10)
    assert out["estimate"].tolist() == [0.0, "hidden", 0.3, "hidden"]
    assert out["n_at_risk"].tolist() == [40, "hidden", 28, 10]


def test_a_sentence_does_not_give_away_what_the_flow_hides(folder, tmp_path):
    import dataclasses

    (found,) = analyse_registries(folder)
    pair, seen = next(iter(found.comparisons.items()))
    chart = seen.attrition.iloc[[0, -1]].copy()
    chart[["n_t", "n_c"]] = [[407, 311], [403, 311]]  # four are left out at the end
    few = dataclasses.replace(seen, attrition=chart, n_t=403, n_c=311)
    part = {"settings": ReportSettings(sections=("registry-pain",))}
    shown = dataclasses.replace(found, comparisons={pair: few})
    text = (report([shown], tmp_path / "few", **part) / PAGE).read_text("utf-8")
    assert "407 against 311 patients, but for a few" in text
    assert "403 against" not in text
    whole = dataclasses.replace(few, attrition=chart.iloc[:1], n_t=407, n_c=311)
    shown = dataclasses.replace(found, comparisons={pair: whole})
    text = (report([shown], tmp_path / "whole", **part) / PAGE).read_text("utf-8")
    assert "407 against 311 patients with a score" in text


def test_covariates_are_said_in_words_and_shares_are_rounded(tables, written):
    lines = tables["registry_mine_baseline_kp_vp"]
    shown = [float(v) for v in lines["mean_t"] if v != "hidden"]
    assert shown
    assert all(round(v, 3) == v for v in shown)
    page = (written / PAGE).read_text("utf-8")
    assert "age at day 0 (years)" in page
    part = page.partition('id="registry-pain"')[2].partition('id="registry-complications')[0]
    assert part
    assert not re.search(r">[^<]*\b(age_years|bmd_t_score|fracture_age_days)\b[^<]*<", part)


def test_a_rate_that_is_set_stands_before_the_published_one():
    from vertebro_outcomes.report.registries import _expected

    usual, own = vo.ReportSettings(), vo.ReportSettings(complication_rate=0.04)
    assert _expected(usual, None) is None
    published = _expected(usual, 0.027)
    assert (published.rate, published.source) == (0.027, "published")
    assert (_expected(own, 0.027).rate, _expected(own, 0.027).source) == (0.04, "set")
