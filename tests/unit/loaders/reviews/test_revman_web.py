"""RevMan Web data packages: every trap, in every container."""

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from packages import (
    ASPIRIN,
    ASPIRIN_SETTING,
    COSTS_SETTING,
    aspirin_rows,
    costs_rows,
    data_row,
    package,
    setting,
    zipped,
)

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.reviews import data_rows_only, revman_web
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.meta_analysis.reproduce import reproduce


@pytest.fixture
def put(tmp_path):
    """Write a package as zip and give its path."""

    def write(*args, **kwargs):
        path = tmp_path / "CD000001-dataPackage.zip"
        path.write_bytes(zipped(package(*args, **kwargs)))
        return path

    return write


def unit(review, unit_id):
    (found,) = [one for one in review.units if one.unit_id == unit_id]
    return found


def test_a_package_is_read_and_its_stored_results_come_out(put):
    """Fleiss (1993) as RevMan stores it."""
    path = put()
    review = read_review(path)
    assert (review.format, review.review_id) == ("revman_web", "CD000001")
    aspirin, costs = unit(review, "CMP-001.01"), unit(review, "CMP-001.02")
    assert (aspirin.data_type, aspirin.measure, aspirin.method, aspirin.model) == (
        "counts", "OR", "MH", "common",
    )  # fmt: skip
    assert (costs.data_type, costs.measure, costs.method) == ("means", "MD", "IV")
    assert [line.study for line in aspirin.lines] == [row[0] for row in ASPIRIN]
    assert aspirin.lines[0].year == "1974"
    assert math.isnan(aspirin.lines[0].se)  # filled in the file, not meant
    assert math.isnan(aspirin.lines[0].mean_t)
    frame = reproduce(path).to_frame().set_index("unit_id")
    assert list(frame["verdict"]) == ["reproduced", "reproduced"]
    assert frame.loc["CMP-001.01", "recomputed_estimate"] == pytest.approx(0.89686556, abs=1e-8)
    assert frame.loc["CMP-001.02", "recomputed_ci_low"] == pytest.approx(-1.25848502, abs=1e-8)
    assert frame.loc["CMP-001.01", "recomputed_q"] == pytest.approx(9.94605598, abs=1e-8)


def containers(tmp_path):
    files = package()
    nested = zipped({"CD000001-files/CD000001-data.zip": zipped(files), "notes.pdf": b"%PDF"})
    (tmp_path / "nested.zip").write_bytes(nested)
    (tmp_path / "plain.zip").write_bytes(zipped({"__MACOSX/x.csv": b"", **files}))
    for name, data in files.items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rows = tmp_path / "unpacked" / next(iter(files))
    return [
        tmp_path / "nested.zip",
        tmp_path / "plain.zip",
        tmp_path / "unpacked",
        rows.parent,
        rows,
    ]


def test_every_container_holds_the_same_review(tmp_path):
    reviews = [read_review(path) for path in containers(tmp_path)]
    assert len(reviews) == 5
    assert {review.format for review in reviews} == {"revman_web"}
    first = [repr(one) for one in reviews[0].units]
    assert all([repr(one) for one in review.units] == first for review in reviews)


def test_generic_effects_are_entered_as_logarithms(put):
    rows = [
        data_row(1, 1, f"S{i}", **{"GIV Mean": y, "GIV SE": 0.2, "Mean": math.exp(y),
                                    "CI start": math.exp(y - 0.392), "CI end": math.exp(y + 0.392)})
        for i, y in enumerate((-0.4, -0.1, 0.2))
    ]  # fmt: skip
    stated = setting(1, 1, "Generic inverse variance", "Hazard ratio", **{"Log-scale data": "Yes"})
    contrast = setting(1, 1, "Contrast level", "Hazard Ratio (HR)", **{"Log-scale data": "#N/A"})
    for settings in (stated, contrast):
        (found,) = read_review(put(rows, [settings])).units
        assert (found.data_type, found.measure, found.log_scale) == ("effects", "HR", True)
        assert found.lines[0].effect == -0.4


def test_generic_effects_on_their_own_scale(put):
    rows = [data_row(1, 1, "S", **{"GIV Mean": -2.5, "GIV SE": 1, "Mean": -2.5, "CI start": -4.46})]
    settings = setting(
        1, 1, "Generic inverse variance", "Mean difference", **{"Log-scale data": "No"}
    )
    (found,) = read_review(put(rows, [settings])).units
    assert (found.measure, found.log_scale) == ("MD", False)


def test_observed_minus_expected(put):
    rows = [
        data_row(1, 1, "S", **{"O-E": -3.2, "Variance": 9.1, "Experimental cases": 10, "Mean": 0.7})
    ]
    settings = setting(
        1, 1, "O-E and variance", "Hazard Ratio", **{"Statistical method": "Exp[(O-E) / Var]"}
    )
    (found,) = read_review(put(rows, [settings])).units
    assert (found.data_type, found.measure, found.method) == ("o_minus_e", "HR", "PETO")
    assert (found.lines[0].o_minus_e, found.lines[0].variance) == (-3.2, 9.1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("Risk Ratio (RR)", "Mantel-Haenszel", "Random effects"), ("RR", "MH", "random")),
        (("Odds Ratio (OR)", "Inverse variance", "Fixed effect"), ("OR", "IV", "common")),
        (("Peto Odds Ratio", "Peto", "Fixed effect"), ("PETO", "PETO", "common")),
        (("Risk Difference (RD)", "Mantel-Haenszel", "Fixed effect"), ("RD", "MH", "common")),
        (("RISK_RATIO", "MANTEL_HAENSZEL", "RANDOM"), ("RR", "MH", "random")),
    ],
)
def test_words_of_count_analyses(put, words, expected):
    measure, method, model = words
    settings = setting(
        1, 1, "Dichotomous", measure, **{"Statistical method": method, "Analysis model": model}
    )
    (found,) = read_review(put(aspirin_rows(), [settings])).units
    assert (found.measure, found.method, found.model) == expected


def test_pooled_zeros_mean_not_computed(put):
    settings = setting(1, 1, "Dichotomous", "OR", **{"Mean": "0", "CI start": "0.0", "CI end": "0"})
    (found,) = read_review(put(aspirin_rows(), [settings])).units
    assert found.published.estimate is None


def test_levels_with_percent_signs_and_swapped_events(put):
    settings = setting(
        1, 1, "Dichotomous", "OR", **{"Estimate CI": "90%", "Swap event and non-event": "Yes"}
    )
    (found,) = read_review(put(aspirin_rows(), [settings])).units
    assert (found.ci_level, found.swap_events) == (0.9, True)


def test_rows_that_are_not_estimable(put):
    rows = [
        *aspirin_rows(),
        data_row(1, 1, "Empty", **{"Experimental N": 20, "Control N": 22, "Mean": "0.0",
                                    "CI start": "0.0", "CI end": "0.0", "Weight": "0.0"}),
    ]  # fmt: skip
    (found,) = read_review(put(rows, [ASPIRIN_SETTING])).units
    assert [line.estimable for line in found.lines] == [True] * 7 + [False]


def test_applicability(put):
    rows = aspirin_rows(Subgroup="Early")
    rows[0]["Applicability"] = "SUBGROUP_ONLY"
    rows[1]["Applicability"] = "OVERALL_ONLY"
    rows[2]["Subgroup"] = "Late"
    subgroups = [
        {"Analysis group": 1, "Analysis number": 1, "Subgroup": name, "Mean": "0.9",
         "CI start": "0.8", "CI end": "1.0", "Weight": weight}
        for name, weight in (("Late", "5.7"), ("Early", "94.3"))
    ]  # fmt: skip
    review = read_review(put(rows, [ASPIRIN_SETTING], subgroups))
    overall = unit(review, "CMP-001.01")
    late, early = unit(review, "CMP-001.01.01"), unit(review, "CMP-001.01.02")
    assert overall.subgroup_units == ("CMP-001.01.01", "CMP-001.01.02")
    assert [len(one.lines) for one in (overall, late, early)] == [6, 1, 5]
    assert (late.subgroup, late.level, late.published.weights_pct) == ("Late", "subgroup", 5.7)
    assert "CDP" not in {line.study for line in early.lines}
    assert "MRC-1" not in {line.study for line in overall.lines}


def test_two_subgroups_of_one_name_are_told_apart_by_number_or_not_at_all(put):
    rows = aspirin_rows(Subgroup="Same")
    stored = [{"Analysis group": 1, "Analysis number": 1, "Subgroup": "Same", "Mean": "0.9"}] * 2
    review = read_review(put(rows, [ASPIRIN_SETTING], stored))
    assert review.units[1].missing
    for place, row in enumerate(rows):
        row["Subgroup number"] = 1 + place % 2
    numbered = [{**row, "Subgroup number": 1 + i} for i, row in enumerate(stored)]
    review = read_review(put(rows, [ASPIRIN_SETTING], numbered))
    assert [one.unit_id for one in review.units[1:]] == ["CMP-001.01.01", "CMP-001.01.02"]
    assert [len(one.lines) for one in review.units[1:]] == [4, 3]
    assert not review.units[1].missing


def test_newer_settings(put):
    newer = setting(
        1, 2, "Continuous", "Std. Mean Difference (SMD)",
        **{"Analysis model": "Random effects", "Estimate CI": "", "CI/PI level": "95%",
           "Heterogeneity estimator": "REML", "CI method": "HKSJ", "PI start": "-3"},
    )  # fmt: skip
    rows = costs_rows(**{"Risk of bias: Overall": "Some concerns"})
    (found,) = read_review(put(rows, [newer])).units
    assert (found.measure, found.model, found.tau2_method, found.ci) == (
        "SMD", "random", "REML", "hksj",
    )  # fmt: skip
    assert found.dialect == "revman2025"
    assert found.lines[0].risk_of_bias == (("Risk of bias: Overall", "Some concerns"),)


def test_risk_of_bias_keeps_judgements_and_drops_reasons(put):
    text = (
        "\ufeffStudy,Allocation concealment: judgement,Allocation concealment: support\r\n"
        "MRC-1,Low risk,Written to A. Name\r\n"
    )
    extra = {"CD000001-study-data/CD000001-risk-of-bias.csv": text.encode()}
    review = read_review(put(extra=extra))
    line = unit(review, "CMP-001.01").lines[0]
    assert line.risk_of_bias == (("Allocation concealment: judgement", "Low risk"),)
    assert "A. Name" not in repr(review)


def test_headers_in_other_case_and_punctuation(tmp_path):
    files = {}
    for name, data in package().items():
        head, _, rest = data.decode("utf-8-sig").partition("\r\n")
        files[name] = (head.upper().replace(" ", "_") + "\r\n" + rest).encode()
    path = tmp_path / "shouted.zip"
    path.write_bytes(zipped(files))
    assert list(reproduce(path).to_frame()["verdict"]) == ["reproduced"] * 2


def test_missing_columns_are_named(tmp_path):
    files = package()
    name = next(one for one in files if "settings" in one)
    files[name] = files[name].replace(b"Data type", b"Kind")
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(files))
    with pytest.raises(LoadError, match="column Data type: missing"):
        read_review(path)


def test_other_data_is_noted_not_pooled(put):
    review = read_review(put(None, [setting(1, 1, "Other data", ""), COSTS_SETTING]))
    assert [one.unit_id for one in review.units] == ["CMP-001.02"]
    assert any("CMP-001.01" in note for note in review.notes)


def test_two_reviews_in_one_zip_are_refused(tmp_path):
    path = tmp_path / "two.zip"
    path.write_bytes(zipped({**package(), **package(name="CD000002")}))
    with pytest.raises(LoadError, match="CD000001, CD000002"):
        read_review(path)


def test_data_rows_without_settings_are_another_format(tmp_path):
    (name, data), *_ = package().items()
    alone = tmp_path / "CD000001-data-rows.csv"
    alone.write_bytes(data)
    packed = tmp_path / "bulk.zip"
    packed.write_bytes(zipped({name: data}))
    for path in (alone, packed):
        assert data_rows_only.recognise(path)
        assert not revman_web.recognise(path)
        assert read_review(path).format == "data_rows"


def test_data_rows_alone_give_measure_model_and_pooled_value(tmp_path):
    path = tmp_path / "CD000001-data-rows.csv"
    path.write_bytes(next(iter(package().values())))
    frame = reproduce(path).to_frame().set_index("unit_id")
    assert list(frame["measure"]) == ["OR", "MD"]
    assert list(frame["method"]) == ["MH", "IV"]
    assert list(frame["model"]) == ["common", "common"]
    assert list(frame["verdict"]) == ["reproduced"] * 2
    assert frame.loc["CMP-001.01", "published_estimate"] == pytest.approx(0.89686556, abs=1e-7)
    assert frame.loc["CMP-001.02", "published_estimate"] == pytest.approx(-0.70938839, abs=1e-7)


def test_subgroups_pooled_alone(tmp_path):
    """Weights that sum to 100 in each subgroup: the analysis as a whole was not pooled."""
    rows = [*aspirin_rows(Subgroup="A"), *aspirin_rows(Subgroup="B")]
    path = tmp_path / "x-data-rows.csv"
    path.write_bytes(next(iter(package(rows).values())))
    assert [one.unit_id for one in read_review(path).units] == ["CMP-001.01.01", "CMP-001.01.02"]


def test_ten_thousand_studies(put):
    rows = [row for i in range(1500) for row in aspirin_rows(1 + i // 50, 1 + i % 50)]
    settings = [
        {**ASPIRIN_SETTING, "Analysis group": 1 + i // 50, "Analysis number": 1 + i % 50}
        for i in range(1500)
    ]
    review = read_review(put(rows, settings))
    assert sum(len(one.lines) for one in review.units) == 10_500


@pytest.mark.parametrize("word", ["NA", "#N/A", "nan", ""])
def test_no_subgroup_in_the_words_of_bulk_exports(put, word, tmp_path):
    assert len(read_review(put(aspirin_rows(Subgroup=word), [ASPIRIN_SETTING])).units) == 1
    path = tmp_path / "bulk.csv"
    path.write_bytes(next(iter(package(aspirin_rows(Subgroup=word, Applicability="")).values())))
    (found,) = read_review(path).units
    assert (found.level, found.lines[0].subgroup) == ("overall", "")
