"""The flow chart of the report: its words for those who cannot see it, and arms nobody can compute."""

from types import SimpleNamespace

import pandas as pd
import pytest

from vertebro_outcomes.report.flow_picture import _finding, hide_arms
from vertebro_outcomes.report.sections.registry_overview import _refused, _with_others

ARMS = {"n_VP": "VP", "n_KP": "KP"}


def chart(vp, kp, total=None):
    return pd.DataFrame(
        {"step": list("abc")[: len(vp)], "n_patients": total or [v + k for v, k in zip(vp, kp, strict=True)],
         "n_VP": vp, "n_KP": kp}
    ).astype({"n_VP": object, "n_KP": object})  # fmt: skip


def test_the_words_say_who_came_who_is_left_and_where_most_left():
    said = _finding(chart([300, 290, 200], [1000, 900, 880]), ARMS)
    assert said == (
        "300 VP, 1,000 KP patients come in and 200 VP, 880 KP are left; "
        "most left at the step 'b': 10 VP, 100 KP."
    )
    hidden = chart([300, 250, 0], [1000, 900, 0])
    hidden.loc[2, ["n_VP", "n_KP"]] = "hidden"
    assert "are left, before a last step whose numbers are hidden" in _finding(hidden, ARMS)
    hidden[["n_VP", "n_KP"]] = "hidden"
    assert _finding(hidden, ARMS) == "The numbers of patients are hidden."


@pytest.mark.parametrize(
    ("vp", "kp", "total", "shown"),
    [
        ([30, 20], [100, 90], None, True),
        ([5, 5], [100, 90], None, False),  # 5 follows from the total and the other arm
        ([30, 20], [100, 90], [133, 113], False),  # 3 of another treatment would follow
    ],
)
def test_no_arm_follows_from_the_total(vp, kp, total, shown):
    table = chart(vp, kp, total)
    hide_arms(table, list(ARMS), total="n_patients", largest_hidden=10)
    hidden = {name for name in ARMS if (table[name] == "hidden").all()}
    assert (not hidden) is shown
    if not shown:  # two unknown numbers, or an unknown one beside unknown others
        assert len(hidden) == 2 or total


def test_arms_hidden_in_one_line_are_hidden_in_all():
    table = chart([30, "hidden"], [100, 90], [130, 95])
    hide_arms(table, list(ARMS), total="n_patients", largest_hidden=10)
    assert (table[list(ARMS)] == "hidden").all(axis=None)


def test_patients_of_another_or_unknown_treatment_have_their_own_box():
    table = chart([305], [1010], [3000])
    assert _with_others(table, list(ARMS))["n_other"].tolist() == [1685]
    assert "n_other" not in _with_others(chart([305], [1010]), list(ARMS))


def test_refused_cells_are_said_before_what_rests_on_the_others():
    lines = {"source_file": ["a.csv"] * 4, "column": list("wxyz"), "rule": ["not a code"] * 4}
    rejected = pd.DataFrame({**lines, "count": [3, 1010, 40, 20]})
    found = _refused(SimpleNamespace(rejected=rejected, largest_hidden=10))
    assert "1,010 in column x of a.csv (not a code); 40 in" in found[0].html
    assert "column w" not in found[0].html
    few = _refused(SimpleNamespace(rejected=rejected.head(1), largest_hidden=10))
    assert "hidden in column w" in few[0].html
    assert _refused(SimpleNamespace(rejected=rejected.head(0), largest_hidden=10)) == ()
