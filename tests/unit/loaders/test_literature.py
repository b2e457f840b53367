"""The sheets arrive whole, traceable, with the right sign, scale and spread."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.literature import one_report_per_trial, orient
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES

SHEETS = Path(__file__).parents[3] / "data" / "raw" / "literature"
LITERATURE = vo.load_literature()
NAN = float("nan")

# Typed by hand from the printed text: line of contrasts.csv, study, days, treatment, comparator,
# printed estimate and limits, and what they are as treatment minus (or over) comparator.
SHAM_TRIALS = [
    (6, "kallmes2009", 30, "0.7 -0.3 1.7", (-0.7, -1.7, 0.3)),
    (7, "kallmes2009", 30, "0.7 -1.3 2.8", (-0.7, -2.8, 1.3)),
    (8, "comstock2013", 365, "1.02 0.04 2.01", (-1.02, -2.01, -0.04)),
    (12, "clark2016", 14, "23 6 39", (23, 6, 39)),
    (15, "firanescu2018", 1, "-0.43 -1.17 0.31", (0.43, -0.31, 1.17)),
    (17, "firanescu2018", 30, "0.41 -0.33 1.15", (-0.41, -1.15, 0.33)),
    (20, "firanescu2018", 365, "0.45 -0.37 1.24", (-0.45, -1.24, 0.37)),
    (21, "firanescu2019", 365, "0.71 0.33 1.50", (0.71, 0.33, 1.50)),
    (22, "firanescu2019", 365, "9.84 4.08 23.73", (1 / 9.84, 1 / 23.73, 1 / 4.08)),
    (23, "carli2023", 365, "1.3 0.1 2.6", (-1.3, -2.6, -0.1)),
    (26, "kroon2014", 365, "0.3 -0.9 1.5", (-0.3, -1.5, 0.9)),
    (159, "buchbinder2009", 91, "0.6 -0.7 1.8", (-0.6, -1.8, 0.7)),
]
CLAIMS_STUDIES = [
    (58, "gold2023", "KP", "NSM", (0.29, 0.26, 0.33)),
    (64, "gold2023", "KP", "NSM", (0.84, 0.81, 0.88)),
    (72, "gold2023", "KP", "NSM", (1.45, 1.23, 1.72)),
    (73, "gold2023", "KP", "NSM", (1.81, 1.58, 2.09)),
    (74, "edidin2011", "VA", "NSM", (0.63, NAN, NAN)),
    (78, "edidin2015", "KP", "NSM", (1 / 1.55, NAN, NAN)),
    (79, "edidin2015", "VP", "NSM", (1 / 1.25, NAN, NAN)),
    (81, "ong2018", "KP", "NSM", (0.81, 0.81, 0.81)),
    (82, "ong2018", "VP", "NSM", (0.93, 0.92, 0.93)),
    (83, "ong2018", "VP", "KP", (1 / 0.87, 1 / 0.88, 1 / 0.87)),
    (85, "mccullough2013", "VA", "NSM", (0.83, 0.75, 0.92)),
    (88, "pmc3217093", "VP", "NSM", (1.17, NAN, NAN)),
]


def raw(name):
    with (SHEETS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", LITERATURE_TABLES)
def test_no_row_is_lost_and_every_printed_number_is_kept(name):
    rows, table = raw(name), LITERATURE.tables[name]
    assert len(table) == len(rows)
    assert table["line"].tolist() == list(range(2, len(rows) + 2))
    numeric = [c.name for c in LITERATURE_TABLES[name].columns if c.type in ("int", "float")]
    for column in numeric:
        assert table[f"{column}_printed"].tolist() == [row[column] for row in rows]


def test_a_number_is_traced_in_one_step():
    row = LITERATURE.trace("contrasts.csv:12")
    assert (row["study_id"], row["estimate_printed"]) == ("clark2016", "23")
    assert row["source_url"].startswith("https://")
    for wrong in ("contrasts.csv:1", "contrasts.csv", "contradictions.csv:2", "x"):
        with pytest.raises(vo.InputError, match="source_line"):
            LITERATURE.trace(wrong)


@pytest.mark.parametrize(("line", "study", "day", "printed", "expected"), SHAM_TRIALS)
def test_sham_trials_have_the_right_sign(line, study, day, printed, expected):
    row = LITERATURE.trace(f"contrasts.csv:{line}")
    assert (row["study_id"], row["treatment"], row["comparator"]) == (study, "VP", "SHAM")
    assert row["timepoint_days"] == day
    names = ("estimate", "ci_low", "ci_high")
    assert " ".join(row[f"{name}_printed"] for name in names) == printed
    np.testing.assert_allclose([row[name] for name in names], expected, rtol=1e-12)


@pytest.mark.parametrize(("line", "study", "treatment", "comparator", "expected"), CLAIMS_STUDIES)
def test_claims_studies_have_the_right_direction(line, study, treatment, comparator, expected):
    rows = orient(LITERATURE.contrasts, treatment, comparator)
    [row] = [row for _, row in rows[rows["line"] == line].iterrows()]
    assert row["study_id"] == study
    given = [row[name] for name in ("estimate", "ci_low", "ci_high")]
    np.testing.assert_allclose(given, expected, rtol=1e-12)


def test_the_two_tables_are_whole():
    assert len({row[0] for row in SHAM_TRIALS}) == 12
    assert len({row[0] for row in CLAIMS_STUDIES}) == 12


def test_orientation_swaps_and_swaps_back():
    there = orient(LITERATURE.contrasts, "KP", "VP")
    back = orient(LITERATURE.contrasts, "VP", "KP")
    assert there["line"].tolist() == back["line"].tolist()
    assert len(there) > 10
    again = orient(back, "KP", "VP")
    for name in ("estimate", "ci_low", "ci_high", "estimate_canonical"):
        np.testing.assert_allclose(again[name], there[name], rtol=1e-12)
    assert again["n_treatment"].tolist() == there["n_treatment"].tolist()
    with pytest.raises(vo.InputError, match="KPP"):
        orient(LITERATURE.contrasts, "KPP", "VP")


def test_what_has_no_stated_direction_is_kept_as_printed_and_not_poolable():
    rows = LITERATURE.contrasts[LITERATURE.contrasts["direction"] == "not_stated"]
    assert len(rows) == 5
    assert not rows["poolable"].any()
    assert set(rows["not_poolable_because"]) == {"direction not stated"}
    assert rows["estimate"].iloc[0] == float(rows["estimate_printed"].iloc[0])


def test_differences_of_percentages_become_shares():
    row = LITERATURE.trace("contrasts.csv:12")
    assert row["estimate_canonical"] == pytest.approx(0.23, rel=1e-12)


@pytest.mark.parametrize(
    ("line", "estimate", "source"),
    [
        (7, -0.7 * 24 / 23, "locator"),
        (25, -7.1 * 24 / 100, "locator"),
        (6, -0.7, "arm means, arm_continuous.csv:11"),
        (40, NAN, "not printed"),
    ],
)
def test_a_difference_is_rescaled_only_where_its_scale_is_printed(line, estimate, source):
    row = LITERATURE.trace(f"contrasts.csv:{line}")
    np.testing.assert_allclose(row["estimate_canonical"], estimate, rtol=1e-12)
    assert row["scale_source"] == source


def test_p_values_that_are_bounds_stay_bounds():
    row = LITERATURE.trace("contrasts.csv:22")
    assert (row["p_value_printed"], row["p_value"], row["p_relation"]) == ("<0.001", 0.001, "<")
    row = LITERATURE.trace("contrasts.csv:8")
    assert (row["p_value"], row["p_relation"]) == (0.042, "=")


@pytest.mark.parametrize(
    ("line", "mean", "canonical"),
    [
        (374, -2.3, -2.3),  # improvement units, pain 0-10
        (20, -2.4, -2.4),  # reported as improvement
        (338, -70.8, -7.08),  # improvement of pain 0-100
        (134, -5.2, -5.2),  # the sheet already holds follow-up minus baseline
        (145, 10.7, 10.7),  # SF-36: a rise is a change upwards
        (246, 73.1, 7.31),  # pain in mm
        (4, 16.8, 16.8 * 24 / 23),
        (57, 6.74, NAN),  # scale not printed
    ],
)
def test_arm_means_are_changes_or_scores_on_the_outcomes_scale(line, mean, canonical):
    row = LITERATURE.trace(f"arm_continuous.csv:{line}")
    assert row["mean"] == mean
    np.testing.assert_allclose(row["mean_canonical"], canonical, rtol=1e-12)
    assert (row["scale_problem"] == "scale not printed") == bool(np.isnan(canonical))


def test_an_improvement_on_a_scale_where_more_is_better_keeps_its_sign():
    rows = LITERATURE.arm_continuous
    eq5d = rows[(rows["study_id"] == "eidtkoch2011") & (rows["outcome"] == "eq5d")]
    assert eq5d["mean"].tolist() == [0.44, 0.25]
    rmdq = rows[(rows["study_id"] == "eidtkoch2011") & (rows["outcome"] == "rmdq")]
    assert rmdq["mean"].tolist() == [-6.25]
    assert rmdq["mean_printed"].tolist() == ["6.25"]


def test_standard_errors_and_intervals_are_not_taken_for_standard_deviations():
    sources = LITERATURE.arm_continuous["sd_source"].value_counts().to_dict()
    assert set(sources) == {"printed_sd", "from_se", "from_ci", "missing"}
    kp = LITERATURE.trace("arm_continuous.csv:44")  # 7.2 (5.7 to 8.8), n 149; t quantile 1.97612
    assert kp["sd_source"] == "from_ci"
    assert kp["sd"] == pytest.approx(1.55 / 1.97612 * 149**0.5, rel=1e-5)
    no_n = LITERATURE.trace("arm_continuous.csv:168")
    assert (no_n["sd_source"], no_n["se"]) == ("from_se", 0.18)
    assert np.isnan(no_n["sd"])


def test_the_known_misprint_is_corrected_in_sight():
    vp = LITERATURE.trace("arm_continuous.csv:105")
    assert (vp["sd_printed"], vp["se_printed"], vp["se"]) == ("0.33", "", 0.33)
    assert vp["sd"] == pytest.approx(0.33 * 8, rel=1e-12)  # n = 64
    assert vp["sd_source"] == "from_se"
    lines = LITERATURE.corrections["source_line"].tolist()
    assert sorted(set(lines)) == [
        *(f"arm_continuous.csv:{line}" for line in (105, 106, 109, 110)),
        "review_inputs.csv:5",
        "review_inputs.csv:6",
    ]
    assert (LITERATURE.corrections["reason"].str.len() > 50).all()
    review = LITERATURE.trace("review_inputs.csv:5")
    assert np.isnan(review["sd_t"])
    assert review["se_t"] == 0.33


@pytest.mark.parametrize(
    ("study", "trial"),
    [
        ("kroon2014", "buchbinder2009"),
        ("rousing2010", "rousing2009"),
        ("tutton2015", "nice_ipg568_kast"),
        ("chen2019", "chenz2019"),  # one DOI
        ("jnis_kp_vp_rct", "evans2016"),
        ("diamond_79", "diamond2006"),
        ("kallmes2009", "kallmes2009"),
        ("berenson2011", "berenson2011"),
    ],
)
def test_reports_belong_to_their_trial(study, trial):
    ids = LITERATURE.studies.set_index("study_id")["trial_id"]
    assert ids[study] == trial


def test_arms_outside_the_vocabulary_are_kept_and_marked():
    rows = LITERATURE.arm_binary.set_index("arm_printed")
    assert set(rows.loc["VP+KP", "arm"]) == {"VA"}
    assert rows.loc[["VP_prophylactic"], "arm"].isna().all()
    assert set(rows.loc[["VP_prophylactic"], "arm_kind"]) == {"technique"}
    assert rows.loc[["PLACEBO"], "arm_kind"].tolist() == ["natural history"]


def test_one_report_per_trial_counts_no_patient_twice():
    rows = LITERATURE.contrasts
    rows = rows[rows["outcome"] == "sf36_pcs"]
    kept, left = one_report_per_trial(rows)
    assert len(kept) + len(left) == len(rows)
    at_one_month = kept[kept["timepoint_days"] == 30]
    assert at_one_month["study_id"].tolist() == ["wardlaw2009"]
    assert "wardlaw2009" in left[left["study_id"] == "vanmeirhaeghe2013"]["reason"].iloc[0]


def test_shuffled_reports_give_the_same_choice_but_for_ties():
    rows = pd.DataFrame(
        {
            "study_id": ["companion", "main"],
            "trial_id": ["main", "main"],
            "outcome": ["pain_vas"] * 2,
            "timepoint_days": [30.0, 30.0],
            "ci_low": [0.1, 0.2],
            "direction_basis": ["stated", "stated"],
        }
    )
    for order in ([0, 1], [1, 0]):
        kept, left = one_report_per_trial(rows.iloc[order])
        assert kept["study_id"].tolist() == ["main"]
        assert left["reason"].tolist() == ["another report of the same trial is used: main"]


def test_a_part_holds_the_rows_on_an_outcome_and_the_studies_behind_them():
    part = LITERATURE.about(["rmdq"], treatments=["VP", "SHAM"])
    whole = LITERATURE.contrasts
    wanted = whole["outcome"].eq("rmdq") & whole["treatment"].isin(["VP", "SHAM"])
    wanted &= whole["comparator"].isin(["VP", "SHAM"])
    assert part.contrasts["source_line"].tolist() == whole.loc[wanted, "source_line"].tolist()
    assert set(part.arm_continuous["arm"]) == {"VP", "SHAM"}
    assert part.arm_binary.empty
    rows = [part.contrasts, part.arm_continuous]
    named = {key for table in rows for key in (*table["study_id"], *table["trial_id"])}
    assert set(part.studies["study_id"]) == named
    assert part.mcid is LITERATURE.mcid
    assert len(LITERATURE.about(["rmdq"]).arm_continuous) > len(part.arm_continuous)
    assert "source_locator" not in part.contrasts.columns  # where it stands changes no answer
    assert LITERATURE.label("clark2016").startswith("Clark 2016")
    assert LITERATURE.label("nobody") == ""
