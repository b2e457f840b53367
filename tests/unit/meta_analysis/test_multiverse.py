"""Specifications of one outcome: each is what `pool` gives, and a planted error is found."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.meta_analysis.readings import LIKELIEST_FIRST, read_study_table, readings

# Review xujc2011, pain VP against SHAM at one month; `kind` change = follow-up minus baseline.
XUJC = pd.DataFrame(
    {
        "study": ["Buchbinder 2009", "Kallmes 2009"],
        "kind": ["change", "endpoint"],
        "mean_t": [-2.3, 3.9], "sd_t": [2.6, 2.9], "n_t": [35, 67],
        "mean_c": [-1.7, 4.6], "sd_c": [3.3, 3.0], "n_c": [38, 61],
    }
)  # fmt: skip
PRINTED = (-0.13, -1.39, 1.13)
MEANS = pd.DataFrame(
    {
        "study": list("abcde"),
        "mean_t": [3.1, 2.8, 4.0, 2.2, 3.3], "sd_t": [1.9, 2.1, 2.4, 1.7, 2.0], "n_t": [40, 55, 32, 61, 48],
        "mean_c": [4.2, 3.1, 4.9, 3.9, 3.8], "sd_c": [2.2, 2.0, 2.6, 1.9, 2.1], "n_c": [41, 50, 35, 60, 52],
    }
)  # fmt: skip
COUNTS = pd.DataFrame(
    {
        "study": list("abcd"),
        "events_t": [3, 0, 12, 5], "n_t": [40, 25, 60, 51],
        "events_c": [9, 2, 19, 4], "n_c": [41, 25, 62, 49],
    }
)  # fmt: skip


def printed(fit, decimals=2):
    row = fit.to_frame(scale="natural").iloc[0]
    return tuple(round(float(row[name]), decimals) for name in ("estimate", "ci_low", "ci_high"))


def test_the_printed_number_of_xujc2011_needs_improvements_taken_as_end_scores():
    found = vo.multiverse(XUJC, published=PRINTED, measure="MD")
    assert found.explanations()[0] == "improvements of Buchbinder 2009 taken as end scores"
    assert "none" not in set(found.matches["change"])
    assert "only with: improvements of Buchbinder 2009" in str(found)


def test_with_the_sign_put_right_xujc2011_is_minus_066():
    fit = vo.pool(vo.effect_sizes(XUJC, measure="MD"), method="DL")
    assert printed(fit) == (-0.66, -1.48, 0.15)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mean_t": [4.2, 2.8, 4.0, 2.2, 3.3], "mean_c": [3.1, 3.1, 4.9, 3.9, 3.8],
          "sd_t": [2.2, 2.1, 2.4, 1.7, 2.0], "sd_c": [1.9, 2.0, 2.6, 1.9, 2.1],
          "n_t": [41, 55, 32, 61, 48], "n_c": [40, 50, 35, 60, 52]}, "arms of a swapped"),
        ({"sd_t": [1.9, 2.1 / 55**0.5, 2.4, 1.7, 2.0], "sd_c": [2.2, 2.0 / 50**0.5, 2.6, 1.9, 2.1]},
         "standard errors of b used as standard deviations"),
        ({"sd_t": [1.9, 2.1, 2.4 * 32**0.5, 1.7, 2.0], "sd_c": [2.2, 2.0, 2.6 * 35**0.5, 1.9, 2.1]},
         "the spread of c read as a standard error"),
        ({"mean_t": [3.1, 2.8, 4.0, -2.2, 3.3], "mean_c": [4.2, 3.1, 4.9, -3.9, 3.8]},
         "scale of d reversed (high for low)"),
    ],
)  # fmt: skip
def test_a_planted_extraction_error_is_found(change, expected):
    """The published numbers come from a table with one error; the true table is handed in."""
    published = printed(
        vo.pool(vo.effect_sizes(MEANS.assign(**change), measure="MD"), method="DL"), 4
    )
    found = vo.multiverse(MEANS, published=published, decimals=4, measure="MD")
    assert expected in found.explanations()
    assert "as extracted" not in found.explanations()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"events_t": [3, 0, 21, 5]}, "events_t of c 12 read as 21"),
        (
            {"events_t": [37, 0, 12, 5], "events_c": [32, 2, 19, 4]},
            "events and non-events of a exchanged",
        ),
    ],
)
def test_mistakes_are_searched_when_asked(change, expected):
    published = printed(
        vo.pool(vo.effect_sizes(COUNTS.assign(**change), measure="RR"), method="DL"), 4
    )
    assert expected not in vo.multiverse(COUNTS, published=published, decimals=4).explanations()
    found = vo.multiverse(COUNTS, published=published, decimals=4, errors=True)
    assert expected in found.explanations()


@pytest.mark.parametrize(("table", "least"), [(MEANS, 1000), (COUNTS, 1000)])
def test_each_specification_of_the_table_as_it_stands_is_what_pool_gives(table, least):
    found = vo.multiverse(table)
    assert len(found.specifications) >= least
    plain = found.specifications.query(
        "change == 'none' and zero_cells != '0.5_if_any_zero' and weighting == 'inverse variance'"
    )
    rules = {"none": {"add_to": "none"}, "0.5_all": {"add_to": "all"}, "0.5_only_zero": {}}
    checked = 0
    for row in plain.itertuples():
        dialect = "revman5" if row.variant == "revman" or "drop" in row.zero_cells else "metafor"
        how = rules.get(row.zero_cells, {})
        if row.measure in ("RD", "PETO") and row.zero_cells not in ("0.5_all", "0.5_only_zero"):
            continue
        es = vo.effect_sizes(table, measure=row.measure, dialect=dialect, **how)
        fit = vo.pool(es, method=row.method, ci=row.ci).to_frame(scale="natural").iloc[0]
        for name in ("estimate", "ci_low", "ci_high"):
            assert getattr(row, name) == pytest.approx(fit[name], rel=1e-10, abs=1e-12)
        checked += 1
    assert checked >= 40


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_mantel_haenszel_is_among_the_specifications(measure):
    found = vo.multiverse(COUNTS, measure=measure).specifications
    mine = found.query("change == 'none' and weighting == 'Mantel-Haenszel'")
    assert mine[["variant", "method"]].values.tolist() == [
        ["", "EE"],
        ["revman", "EE"],
        ["revman", "DL"],
    ]
    for dialect, row in zip(("metafor", "revman5"), mine.itertuples(), strict=False):
        fit = vo.pool_counts(COUNTS, measure=measure, method="mantel_haenszel", dialect=dialect)
        natural = fit.to_frame(scale="natural").iloc[0]
        for name in ("estimate", "ci_low", "ci_high"):
            assert getattr(row, name) == pytest.approx(natural[name], rel=1e-10)
    left_out = found.query(
        "change == 'left_out' and weighting == 'Mantel-Haenszel' and variant == ''"
    )
    fit = vo.pool_counts(COUNTS[1:], measure=measure, method="mantel_haenszel")
    assert left_out["estimate"].iloc[0] == pytest.approx(
        fit.to_frame(scale="natural")["estimate"][0], rel=1e-10
    )


def test_duplicates_and_shared_controls_are_readings():
    table = MEANS.assign(trial=["x", "x", "y", "z", "w"])
    words = [way.words for way in readings(read_study_table(table, function="multiverse"))]
    assert "one report per trial (b dropped)" in words
    shared = COUNTS.assign(trial=["x", "x", "y", "z"], events_c=[9, 9, 1, 4], n_c=[41, 41, 9, 49])
    words = [way.words for way in readings(read_study_table(shared, function="multiverse"))]
    assert "the shared control of x divided among its 2 comparisons" in words


def test_levels_counted_as_patients_are_found():
    table = COUNTS.assign(levels_t=[50, 31, 71, 60], levels_c=[49, 30, 80, 55])
    wrong = COUNTS.assign(n_t=[40, 25, 71, 51], n_c=[41, 25, 80, 49])
    published = printed(vo.pool(vo.effect_sizes(wrong, measure="RR"), method="DL"), 4)
    found = vo.multiverse(table, published=published, decimals=4)
    assert found.explanations() == ("treated levels of c counted as patients",)


def test_the_result_tells_itself():
    found = vo.multiverse(MEANS, published=(-9.0, -10.0, -8.0), worthwhile=1.0)
    assert "none prints the published numbers" in str(found)
    assert found.explanations() == ()
    assert "<table" in found._repr_html_()
    assert found.summary()["worthwhile_pct"].notna().all()
    as_it_stands = printed(vo.pool(vo.effect_sizes(MEANS, measure="MD"), method="DL"))
    plain = vo.multiverse(MEANS, published=as_it_stands, measure="MD")
    assert "some of the table as it stands" in str(plain)
    assert "<table" in plain._repr_html_()
    assert vo.multiverse(MEANS).to_frame()["matches"].sum() == 0
    ratios = vo.multiverse(COUNTS)
    assert ratios.plot(measure="OR").get_yscale() == "log"
    assert ratios.plot(measure="RD").get_yscale() == "linear"


def test_every_change_has_its_place():
    table = XUJC.assign(trial=["x", "x"], mean_c=[4.6, 4.6], sd_c=[3.0, 3.0], n_c=[61, 61])
    seen = {way.change for way in readings(read_study_table(table, function="multiverse"))}
    levels = COUNTS.assign(levels_t=[50, 31, 71, 60], levels_c=[49, 30, 80, 55])
    seen |= {way.change for way in readings(read_study_table(levels, function="multiverse"))}
    assert seen == set(LIKELIEST_FIRST)


def test_the_share_beyond_the_worthwhile_effect_is_counted():
    found = vo.multiverse(MEANS, worthwhile=-1.5, measure="MD")
    estimates = found.specifications["estimate"]
    assert found.summary()["worthwhile_pct"][0] == pytest.approx(100 * np.mean(estimates <= -1.5))
    assert found.matches.empty
    assert len(found.plot().lines) == 2


def test_ready_effects_can_be_specified_too():
    es = pd.DataFrame({"effect": [0.1, 0.4, -0.2], "variance": [0.02, 0.05, 0.03]})
    found = vo.multiverse(es, published=(0.09, float("nan"), float("nan")), measure="GEN")
    fit = vo.pool(es, method="EE")
    plain = found.specifications.query("change == 'none' and method == 'EE'")
    assert plain["estimate"].iloc[0] == pytest.approx(fit.estimate)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: vo.multiverse(MEANS.drop(columns="sd_t")), "mean_t sd_t n_t"),
        (lambda: vo.multiverse(MEANS, measure="OR"), "MD, SMD, ROM"),
        (lambda: vo.multiverse(MEANS, published=(1, 2)), "three numbers"),
        (lambda: vo.multiverse(MEANS, published=(1, 2, 3), decimals=-1), "from 0 to 15"),
        (lambda: vo.multiverse(COUNTS.assign(events_t=99)), "more events than n_t"),
        (lambda: vo.gosh(MEANS.assign(effect=0.1, variance=0.1)[:2]), "at least 3 studies"),
    ],
)
def test_wrong_input_is_told(call, word):
    with pytest.raises(vo.VertebroError, match=word):
        call()
