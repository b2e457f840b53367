"""Claims: the verdict follows from the results by the stated rule, and from nothing else."""

import math

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.literature.claims import CLAIM_COLUMNS
from vertebro_outcomes.meta_analysis.claim_parts import Asked, Judged
from vertebro_outcomes.meta_analysis.claim_rules import RULES, fracture_age_limit_weeks
from vertebro_outcomes.meta_analysis.claims import ClaimTest, _verdict
from vertebro_outcomes.outcomes import family_outcome
from vertebro_outcomes.results.answer import Answer

STUDIES = pd.DataFrame(
    {
        "study_id": ["early", "late"],
        "fracture_age_criterion": ["<6 weeks", "<12 months"],
    }
)


def asked(effects, se, *, measure="MD", family="pain", name="q", ids=None, **columns):
    """One answer whose trials have these effects."""
    ids = ids or [f"s{i}" for i in range(len(effects))]
    es = pd.DataFrame(
        {
            "study": ids,
            "study_id": ids,
            "effect": effects,
            "variance": [se**2] * len(effects),
            "measure": measure,
            **columns,
        }
    )
    fit = vo.pool(es, method="EE", measure=measure)
    found = Answer(name, name, measure, "VP", "SHAM", "points", "lower", es, es.iloc[:0], fit)
    known = family_outcome(family).worthwhile
    return Asked(family, found, known and known.value)


def judge(rule, *given, low=math.nan, high=math.nan):
    found = RULES[rule].judge({"low": low, "high": high}, list(given), STUDIES)
    return [one.finding for one in found]


def rate(events, n):
    es = vo.effect_sizes(
        pd.DataFrame({"study": ["a"], "events": [events], "n": [n]}), measure="PLO"
    )
    found = Answer(
        "q", "q", "PLO", "VP", "", "", "lower", es, es.iloc[:0], vo.pool(es, method="EE")
    )
    return Asked("cement_leakage", found)


@pytest.mark.parametrize(
    ("events", "n", "finding"),
    [(200, 10_000, "for"), (5_000, 10_000, "against"), (2, 100, "open")],
)
def test_a_rate_against_a_range(events, n, finding):
    assert judge("rate_in_range", rate(events, n), low=1, high=3) == [finding]


def test_a_single_number_is_read_with_its_tolerance():
    assert judge("rate_in_range", rate(7_200, 10_000), low=75, high=75) == ["for"]
    assert judge("rate_in_range", rate(6_000, 10_000), low=75, high=75) == ["against"]


@pytest.mark.parametrize(
    ("effect", "se", "benefit", "little"),
    [
        (-3.0, 0.2, "for", "against"),
        (-0.7, 0.2, "partly", "for"),
        (0.0, 0.2, "against", "for"),
        (1.0, 5.0, "open", "open"),
        (2.0, 0.2, "against", "for"),
    ],
)
def test_benefit_against_the_smallest_worthwhile_difference(effect, se, benefit, little):
    assert vo.OUTCOMES["pain_vas"].worthwhile.value == 1.5
    assert judge("benefit", asked([effect], se)) == [benefit]
    assert judge("little_benefit", asked([effect], se)) == [little]


@pytest.mark.parametrize(
    ("effect", "se", "finding"), [(0.1, 0.2, "for"), (4.0, 0.2, "against"), (0.1, 2.0, "open")]
)
def test_equivalence(effect, se, finding):
    assert judge("equivalent", asked([effect], se)) == [finding]


@pytest.mark.parametrize(("events", "finding"), [(900, "for"), (100, "against"), (500, "open")])
def test_mostly(events, finding):
    assert judge("more_than_half", rate(events, 1_000)) == [finding]


def test_the_most_common_event():
    often, seldom = rate(500, 1_000), rate(10, 1_000)
    assert judge("most_common", often, seldom) == ["for"]
    assert judge("most_common", seldom, often) == ["against"]
    assert judge("most_common", rate(2, 10), rate(3, 10)) == ["open"]


def test_seen_where_patients_were_counted():
    assert judge("only_case_reports", rate(1, 100)) == ["against"]
    assert judge("only_case_reports", rate(0, 100)) == ["open"]


def test_the_peak_is_where_the_benefit_is_largest():
    day = asked([-3.0], 0.1, timepoint_days=[72.0])
    other = asked([-1.0], 0.1, timepoint_days=[7.0])
    assert judge("peak_at", day, other, low=72) == ["for"]
    assert judge("peak_at", day, other, low=7) == ["against"]


def test_early_and_late_trials():
    both = asked([-3.0, -1.0], 0.1, ids=["early", "late"])
    assert judge("early_better", both, high=8) == ["for"]
    assert judge("early_better", both, low=2) == ["against"]  # two months or more
    assert judge("early_better", asked([-3.0], 0.1, ids=["early"]), high=8) == []


@pytest.mark.parametrize(
    ("criterion", "weeks"),
    [
        ("<6 weeks", 6),
        ("<=6 weeks planned, extended to 9 weeks", 6),
        (">3 months", math.inf),
        ("<12 months", pytest.approx(52.18, abs=0.01)),
    ],
)
def test_fracture_age_in_the_words_of_the_trials(criterion, weeks):
    assert fracture_age_limit_weeks(criterion) == weeks


def test_fracture_age_unknown():
    assert math.isnan(fracture_age_limit_weeks("not stated"))


@pytest.mark.parametrize(
    ("findings", "quantifier", "verdict"),
    [
        ("for", "all", "supported"),
        ("for open", "all", "supported"),
        ("for open open", "all", "mixed"),
        ("against", "all", "contradicted"),
        ("for against", "all", "mixed"),
        ("partly", "all", "mixed"),
        ("open", "all", "cannot be tested with these data"),
        ("", "all", "cannot be tested with these data"),
        ("for against open", "some", "supported"),
        ("for against", "every", "contradicted"),
        ("for open", "every", "cannot be tested with these data"),
        ("for for", "every", "supported"),
    ],
)
def test_verdicts(findings, quantifier, verdict):
    judged = [Judged(finding, "", "q") for finding in findings.split()]
    assert _verdict(judged, ClaimTest("benefit", (), quantifier))[0] == verdict


@pytest.fixture(scope="module")
def examined():
    return vo.examine_claims()


def test_every_claim_of_the_sheet_has_a_verdict(examined):
    sheet = vo.load_claims()
    assert examined.to_frame()["claim_id"].tolist() == sheet["claim_id"].tolist()
    assert set(sheet["claim_id"]) == set(vo.CLAIM_TESTS)
    assert sum(examined.counts.values()) == len(sheet)
    tested = examined.table["n_for"] + examined.table["n_against"] + examined.table["n_open"]
    untested = examined.table[(tested == 0) & (examined.table["n_partly"] == 0)]
    assert untested["because"].str.startswith("needs ").all()


def test_contradictions_are_known_both_ways(examined):
    by = examined.table.set_index("claim_id")["contradicts"]
    assert by["C03"] == "C04"
    assert by["C04"] == "C03"


def test_results_show_themselves(examined):
    assert "18 claims" in str(examined)
    assert "<table>" in examined._repr_html_()
    assert (
        len(examined.about("C10"))
        == examined.table.set_index("claim_id")
        .loc["C10", ["n_for", "n_against", "n_open", "n_partly"]]
        .sum()
    )
    labels = [text.get_text() for text in examined.plot().get_yticklabels()]
    assert len(labels) == 18


def test_an_unknown_claim_cannot_be_tested():
    row = dict.fromkeys(CLAIM_COLUMNS, "") | {"claim_id": "X1", "claim": "It sings."}
    found = vo.examine_claims(claims=pd.DataFrame([row]).assign(source_line="x.csv:2"))
    assert found.table["verdict"].tolist() == ["cannot be tested with these data"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no such file"),
        ("claim_id\nC01\n", "no column claim"),
        (",".join(CLAIM_COLUMNS) + "\nC01,a,b,,q,1,2,u,h\n", "no claim_id or no claim"),
        (",".join(CLAIM_COLUMNS) + "\nC01,a,b,c,q,one,2,u,h\n", "a number"),
        (",".join(CLAIM_COLUMNS) + "\nC1,a,b,c,q,1,2,u,h\nC1,a,b,c,q,1,2,u,h\n", "C1 twice"),
    ],
)
def test_a_broken_sheet_is_refused(tmp_path, text, says):
    if text is not None:
        (tmp_path / "claims.csv").write_text(text)
    with pytest.raises(LoadError, match=says):
        vo.load_claims(tmp_path)
