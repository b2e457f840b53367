"""Numbers that other tables, totals or parts would tell are hidden with what they tell of."""

from types import SimpleNamespace

import pandas as pd

from vertebro_outcomes.display.disclosure import HIDDEN
from vertebro_outcomes.report.blocks import TableBlock, flat
from vertebro_outcomes.report.sections.registry_overview import _accounting, _coverage, _flow
from vertebro_outcomes.report.sections.registry_pain import _without_few_missing
from vertebro_outcomes.report.sections.registry_safety import _tells_others


def registry(**parts):
    """Of 150 patients four had another treatment."""
    chart = {"step": ["in the cohort"], "n_patients": 150, "n_VP": 46, "n_KP": 60, "n_NSM": 40}
    usual = {
        "name": "x",
        "synthetic": False,
        "largest_hidden": 10,
        "attrition": pd.DataFrame(chart),
    }
    return SimpleNamespace(**{**usual, **parts})


def table(blocks):
    return next(block.data for block in flat(blocks) if isinstance(block, TableBlock))


def test_few_others_hide_the_total_and_not_an_arm_that_stands_elsewhere():
    [line] = table(_flow(registry())).to_dict("records")
    assert [line[name] for name in ("n_patients", "n_other")] == [HIDDEN, HIDDEN]
    assert [line[name] for name in ("n_VP", "n_KP", "n_NSM")] == [46, 60, 40]
    many = registry().attrition.assign(n_patients=190)
    [line] = table(_flow(registry(attrition=many))).to_dict("records")
    assert [line[name] for name in ("n_patients", "n_other")] == [190, 44]


def test_the_number_of_all_patients_is_hidden_in_the_coverage_and_in_files_of_as_many_rows():
    coverage = pd.DataFrame(
        {
            "measure": ["sites reporting", "patients registered", "dead within one year", "seen at one year"],
            "n": [3, 150, 22, 80],
            "of": pd.Series([None, None, 150, 128], dtype=object),
            "rate_pct": [None, None, 14.7, 62.5],
        }
    )  # fmt: skip
    shown = table([_coverage(registry(coverage=coverage))])
    assert shown["n"].tolist() == ["3", HIDDEN, "22", "80"]
    assert shown["of"].tolist() == ["", "", HIDDEN, "128"]
    assert shown["rate"].tolist() == ["", "", "", "62.5%"]
    whole = registry().attrition.assign(n_patients=146)  # no other treatment, so nothing to hide
    shown = table([_coverage(registry(coverage=coverage, attrition=whole))])
    assert shown["of"].tolist() == ["", "", "150", "128"]
    accounting = files([(152, 150, 2, 0), (400, 380, 20, 0)])
    shown = table([_accounting(registry(accounting=accounting))])
    assert shown.loc[0, ["rows_in", "rows_used", "rows_rejected"]].tolist() == [HIDDEN] * 3
    assert shown.loc[1].tolist() == ["f1.csv", "400", "380", "20", "0"]


def files(rows):
    return pd.DataFrame(
        [(f"f{i}.csv", *row) for i, row in enumerate(rows)],
        columns=["source_file", "rows_in", "rows_used", "rows_rejected", "rows_ignored"],
    )


def test_two_small_parts_of_the_rows_of_a_file_take_the_third_along():
    """3 + 5 are left of 108 where 100 are shown: both are small, and that is told."""
    nobody_else = registry().attrition.assign(n_patients=146)
    shown = table(
        [_accounting(registry(attrition=nobody_else, accounting=files([(108, 100, 3, 5)])))]
    )
    assert shown.loc[0].tolist() == ["f0.csv", "108", HIDDEN, HIDDEN, HIDDEN]


def test_a_kind_that_nearly_all_with_a_complication_had_is_hidden():
    rates = pd.DataFrame(
        {"type": ["any", "leakage", "any", "leakage"], "arm": ["VP", "VP", "KP", "KP"],
         "n_events": [33, 30, 45, 30]}
    )  # fmt: skip
    assert _tells_others(rates, "arm", 10).tolist() == [False, True, False, False]
    assert not _tells_others(rates, "arm", 0).any()


def test_visits_at_which_a_few_lack_a_score_show_no_numbers():
    visits = pd.DataFrame({"day": [1, 90], "n_t": [100, 80], "n_c": [34, 24]})
    flow = pd.DataFrame({"n_t": [112, 80], "n_c": [36, 24]})
    found = registry(comparisons={("KP", "VP"): SimpleNamespace(attrition=flow)})
    shown = _without_few_missing(found, ("KP", "VP"), visits)
    assert shown["n_t"].isna().tolist() == [True, False]
    assert shown["n_c"].isna().tolist() == [True, False]
    assert _without_few_missing(found, ("VP", "NSM"), visits).equals(visits)
