"""Contradictions between printed numbers: planted ones are found, consistent numbers are left alone."""

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.printed import read_printed


def effect(**cells):
    base = {
        "study_id": "s",
        "outcome": "pain",
        "treatment": "VP",
        "comparator": "NSM",
        "measure": "MD",
    }
    return pd.DataFrame([base | cells])


def arm(**cells):
    base = {
        "study_id": "s",
        "outcome": "pain_nrs",
        "arm": "VP",
        "scale_min": "0",
        "scale_max": "10",
    }
    return pd.DataFrame([base | {"mean": "", "sd": "", "n": "", "kind": "endpoint"} | cells])


def count(**cells):
    return pd.DataFrame(
        [
            {"study_id": "s", "outcome": "leak", "arm": "VP", "events": "", "n": "", "percent": ""}
            | cells
        ]
    )


@pytest.mark.parametrize(
    ("table", "rule", "words"),
    [
        (effect(estimate="-0.05", ci_low="-0.01", ci_high="0.11"), "estimate and interval", "outside"),
        (effect(estimate="1", ci_low="2", ci_high="0"), "estimate and interval", "above the upper"),
        (effect(estimate="-3.2", ci_low="-3.72", ci_high="-2.28"), "estimate and interval", "-3, not"),
        (effect(measure="RR", estimate="0.90", ci_low="0.50", ci_high="1.20"),
         "estimate and interval", "log"),
        (effect(estimate="1.0", ci_low="0.2", ci_high="1.8", p_value="0.30"),
         "p-value and interval", "opposite"),
        (effect(estimate="1.0", ci_low="-0.2", ci_high="2.2", p_value="<0.01"),
         "p-value and interval", "includes"),
        (effect(estimate="2.0", ci_low="1.0", ci_high="3.0", p_value="0.04"),
         "p-value and interval", "implies"),
        (count(events="41", n="40"), "count and percentage", "more events"),
        (count(events="26", n="3175", percent="0.7"), "count and percentage", "0.819"),
        (count(n="40", percent="2.2"), "count and percentage", "no whole number of 40"),
        (arm(mean="10.6"), "mean and spread on the scale", "off the scale"),
        (arm(mean="9.5", sd="2.4", n="30"), "mean and spread on the scale", "cannot exceed 2.32"),
        (arm(mean="7.13", n="17"), "mean and spread on the scale", "no sum of whole points"),
        (arm(outcome="qualeffo", scale_max="100", mean="65", sd="2.2", n="64"), "spread too small", "17.6"),
    ],
)  # fmt: skip
def test_a_planted_contradiction_is_found(table, rule, words):
    found = vo.check_reported(table).to_frame()
    assert found["rule"].tolist() == [rule]
    assert words in found["follows"][0]
    assert found["rows"][0] == "row 1"


@pytest.mark.parametrize(
    "table",
    [
        effect(estimate="-1.0", ci_low="-1.8", ci_high="-0.2", p_value="0.01"),
        effect(measure="RR", estimate="0.68", ci_low="0.48", ci_high="0.96", p_value="0.03"),
        effect(measure="OR", estimate="9.84", ci_low="4.08", ci_high="23.73", p_value="<0.001"),
        effect(estimate="0.1", ci_low="-0.7", ci_high="0.9", p_value="0.8"),
        effect(estimate="0.1", ci_low="", ci_high="", p_value=">0.05"),
        count(events="5", n="118", percent="4.2"),
        count(n="118", percent="4.2"),
        count(events="5", n="", percent="4.2"),
        arm(mean="7.2", sd="1.9", n="106"),
        arm(mean="7.12", n="17"),  # 121/17
        arm(mean="-2.1", sd="2.6", n="38", kind="change"),
        arm(mean="0.0", sd="0.0", n="12"),
    ],
)
def test_consistent_numbers_are_left_alone(table):
    found = vo.check_reported(table)
    assert len(found) == 0
    assert "no contradiction" in str(found)


def test_a_standard_error_among_standard_deviations_is_seen_against_other_studies():
    others = [
        arm(study_id=f"s{i}", mean="7", sd=sd, n="40")
        for i, sd in enumerate(("2.1", "1.8", "2.4", "2"))
    ]
    table = pd.concat([*others, arm(study_id="odd", mean="7", sd="0.32", n="44")])
    found = vo.check_reported(table).to_frame()
    assert found["study"].tolist() == ["odd"]
    assert "SD of 2.12, as usual elsewhere" in found["follows"][0]


def test_baseline_and_change_have_to_give_the_end_score():
    rows = pd.concat(
        [
            arm(kind="baseline", mean="26.0", timepoint_days="0", scale_max="100"),
            arm(kind="change", mean="7.2", timepoint_days="30", scale_max="100"),
            arm(kind="endpoint", mean="33.4", timepoint_days="30", scale_max="100"),
        ]
    )
    found = vo.check_reported(rows).to_frame()
    assert found["follows"].tolist() == ["baseline and change give 33.2, not 33.4"]
    assert len(vo.check_reported(rows.assign(mean=["26.0", "7.2", "33.3"]))) == 0


def test_arms_have_to_give_the_difference():
    arms = pd.concat(
        [arm(mean="4.0", timepoint_days="30"), arm(arm="NSM", mean="6.0", timepoint_days="30")]
    )
    contrast = effect(
        outcome="pain_nrs", estimate="-1.0", timepoint_days="30", direction="t_minus_c"
    )
    found = vo.check_reported({"arms": arms, "contrasts": contrast}).to_frame()
    assert found["rule"].tolist() == ["sums and differences"]
    turned = contrast.assign(estimate="2.0", direction="c_minus_t")
    assert len(vo.check_reported({"arms": arms, "contrasts": turned})) == 0


def test_the_width_of_a_standardised_effect_is_given_by_its_patients():
    wide = effect(measure="SMD", estimate="-0.36", ci_low="-1.02", ci_high="0.30")
    study = pd.DataFrame([{"study_id": "s", "arms": "VP:56|NSM:59", "n_total": "115"}])
    found = vo.check_reported({"contrasts": wide, "studies": study}).to_frame()
    assert "its standard error is 0.34, these patients give about 0.19" in found["follows"][0]
    fitting = wide.assign(ci_low="-0.73", ci_high="0.01")
    assert len(vo.check_reported({"contrasts": fitting, "studies": study})) == 0


def test_two_reports_of_one_number():
    two = pd.concat([effect(estimate="5.2"), effect(estimate="5.35", study_id="t")]).assign(
        trial_id="s"
    )
    found = vo.check_reported(two).to_frame()
    assert found["follows"].tolist() == ["estimate is printed as 5.2 and as 5.35"]
    assert len(vo.check_reported(two.assign(estimate=["5.2", "5.15"]))) == 0  # rounds to the other
    assert len(vo.check_reported(two.assign(trial_id=["s", "t"]))) == 0


def test_significant_effects_on_both_sides():
    rows = pd.concat(
        [
            effect(estimate="1.4", ci_low="0.5", ci_high="2.3", timepoint_label="1 week"),
            effect(estimate="-1.6", ci_low="-2.9", ci_high="-0.3", timepoint_label="6 months"),
        ]
    )
    found = vo.check_reported(rows).to_frame()
    assert found["rule"].tolist() == ["signs and directions"]


def test_more_patients_than_allocated():
    study = pd.DataFrame([{"study_id": "s", "arms": "VP:40|NSM:42", "n_total": "90"}])
    found = vo.check_reported({"studies": study, "arms": count(events="2", n="41")}).to_frame()
    assert found["follows"].tolist() == ["the arms add up to 82", "more patients than the arm has"]


def test_a_table_of_no_known_kind_is_refused():
    with pytest.raises(vo.InputError, match="estimate"):
        vo.check_reported(pd.DataFrame({"x": [1]}))
    with pytest.raises(vo.InputError, match="mapping"):
        vo.check_reported("contrasts.csv")


@pytest.mark.parametrize(
    ("text", "value", "half_unit", "relation"),
    [
        ("7.20", 7.2, 0.005, "="), ("<0.01", 0.01, 0.005, "<"), ("−1.5", -1.5, 0.05, "="),
        (".02", 0.02, 0.005, "="), ("12", 12.0, 0.5, "="), ("≥ 3", 3.0, 0.5, ">"), ("45%", 45.0, 0.5, "="),
        ("1e-3", 0.001, 0.0005, "="),
    ],
)  # fmt: skip
def test_a_printed_number_is_read_with_its_rounding(text, value, half_unit, relation):
    number = read_printed(text)
    assert (number.value, number.relation) == (value, relation)
    assert number.half_unit == pytest.approx(half_unit)


@pytest.mark.parametrize("text", ["", "n.s.", None, float("nan"), "1-2", "0.1.2"])
def test_text_without_a_number_is_none(text):
    assert read_printed(text) is None


# Every line of the extraction notes' table of known contradictions, by study and what has to be said.
KNOWN = [
    ("xujc2011", "pain_0_10", "improvements of Buchbinder 2009 taken as end scores"),
    ("xujc2011", "eq5d", "outside its own interval"),
    ("wardlaw2009", "sf36_pcs", "baseline and change give 33.2, not 33.4"),
    ("wardlaw2009", "sf36_pcs", "printed as 5.2 and as 5.35"),
    ("wardlaw2009", "average over 24 months", "two sizes"),
    ("berenson2011", "rmdq", "differ between reports"),
    ("berenson2011", "crossover", "38 of 52 is 73.1 %"),
    ("blasco2012", "pain_vas", "read as a standard error"),
    ("blasco2012", "qualeffo", "read as a standard error"),
    ("clark2016", "spinal_cord_compression", "2 of 59 is 3.39 %"),
    ("clark2016", "new_vertebral_fracture", "2 of 59 is 3.39 %"),
    ("clark2016", "serious_adverse_event", "reports differ"),
    ("clark2016", "fracture of at most 3 weeks", "differs between reports"),
    ("firanescu2019", "further_height_loss", "printed as 39 and as 36"),
    ("firanescu2018", "pain_vas", "numbers of patients differ"),
    ("farrokhi2011", "new_vertebral_fracture", "no whole number of 32 to 40 patients is 2.2 %"),
    ("farrokhi2011", "new_vertebral_fracture", "no whole number of 34 to 42 patients is 13.3 %"),
    ("lovi2009", "VP", "76.6 %"),
    ("omidikashani2013", "pain_vas, 4 weeks", "implausibly small"),
    ("evans2016", "pain_nrs", "standard error is 0.34"),
    ("evans2016", "rmdq", "standard error is 0.84"),
    ("wangb2018", "kyphotic_wedge_angle", "others the reverse"),
    ("xie2017", "pain_relief", "opposite sides"),
    ("kallmes2009", "crossover", "uncorrected copy"),
    ("hsieh2019", "spinal_canal", "26 of 3175 is 0.819 %"),
    ("josr2021_02472", "pulmonary_cement_embolism", "outside its own interval"),
    ("gold2023", "death", "opposite sides"),
    ("wang2016", "randomised", "two sizes"),
    ("cd006349_pub4", "low risk", "count differently"),
]


@pytest.fixture(scope="module")
def shipped():
    return vo.check_reported(vo.load_literature()).to_frame()


@pytest.mark.parametrize(("study", "about", "follows"), KNOWN)
def test_every_known_contradiction_of_the_shipped_sheets_is_found(shipped, study, about, follows):
    rows = shipped[shipped["study"] == study]
    hits = rows[
        rows["about"].str.contains(about, regex=False)
        & rows["follows"].str.contains(follows, regex=False)
    ]
    assert len(hits) >= 1, rows[["about", "follows"]].to_string()


def test_the_shipped_sheets_are_not_flooded(shipped):
    """A reader can act on it: well under a tenth of the 1,400 rows, a handful called certain."""
    assert len(shipped) < 100
    assert shipped["certainty"].eq("certain").sum() < 10
