"""Every outcome is complete, every worthwhile change is a published row, scales move linearly."""

import csv
from pathlib import Path

import pytest

from vertebro_outcomes.outcomes import FAMILIES, OUTCOMES, family_outcome

SHEETS = Path(__file__).parents[2] / "data" / "raw" / "literature"
WITH_CHANGE = [outcome for outcome in OUTCOMES.values() if outcome.worthwhile]


def sheet(name):
    with (SHEETS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_some_outcomes_have_a_worthwhile_change():
    assert len(WITH_CHANGE) >= 8


@pytest.mark.parametrize("outcome", WITH_CHANGE, ids=lambda outcome: outcome.name)
def test_a_worthwhile_change_is_a_row_of_the_sheet(outcome):
    change = outcome.worthwhile
    rows = [
        row
        for row in sheet("mcid")
        if (row["study_id"], row["outcome"]) == (change.study_id, change.outcome)
        and row["method"] == change.method
    ]
    assert len(rows) == 1
    [row] = rows
    assert float(row["mcid"]) == change.value
    for printed, ours in (
        (row["scale_min"], change.scale_min),
        (row["scale_max"], change.scale_max),
    ):
        assert (float(printed) if printed else None) == ours


@pytest.mark.parametrize(
    ("name", "low", "high", "better"),
    [
        ("pain_vas", 0, 10, "lower"),
        ("odi", 0, 100, "lower"),
        ("rmdq", 0, 24, "lower"),
        ("eq5d", -0.59, 1, "higher"),
        ("sf36_pcs", 0, 100, "higher"),
        ("qualeffo", 0, 100, "lower"),
    ],
)
def test_registry_instruments_have_their_scale(name, low, high, better):
    outcome = OUTCOMES[name]
    assert (outcome.scale_min, outcome.scale_max, outcome.better) == (low, high, better)


@pytest.mark.parametrize(
    ("name", "value", "scale", "expected"),
    [
        ("pain_vas", 73.1, (0, 100), 7.31),
        ("pain_nrs", 7.1, (0, 10), 7.1),
        ("rmdq", 23, (0, 23), 24),
        ("rmdq", 50, (0, 100), 12),
        ("eq5d", 0.55, (None, 1), 0.55),
        ("sf36_pcs", 26.0, (0, 100), 26.0),
    ],
)
def test_a_printed_score_moves_to_the_canonical_scale(name, value, scale, expected):
    moved = OUTCOMES[name].rescale(value, scale_min=scale[0], scale_max=scale[1])
    assert moved == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [(0, 25), (None, None), (1, 10)])
def test_an_undeclared_scale_gives_no_number(scale):
    assert OUTCOMES["pain_vas"].factor(*scale) is None
    assert str(OUTCOMES["pain_vas"].rescale(5, scale_min=scale[0], scale_max=scale[1])) == "nan"


def test_scales_are_ordered_and_names_are_keys():
    for name, outcome in OUTCOMES.items():
        assert outcome.name == name
        assert outcome.label
        if outcome.scale_min is not None:
            assert outcome.scale_min < outcome.scale_max
            for low, high in outcome.variants:
                assert low < high


def test_every_outcome_of_the_sheets_is_declared():
    used = set()
    for name in ("arm_continuous", "arm_binary", "contrasts", "pooled_published", "review_inputs"):
        used |= {row["outcome"] for row in sheet(name)}
    assert len(used) > 150
    assert used <= set(OUTCOMES)


def test_families_join_the_names_of_one_construct():
    assert FAMILIES["pain"] == ("pain_vas", "pain_nrs", "pain_0_10")
    assert family_outcome("pain") is OUTCOMES["pain_vas"]
    assert sum(len(names) for names in FAMILIES.values()) == len(OUTCOMES)
    for names in FAMILIES.values():
        assert len({OUTCOMES[name].better for name in names}) == 1
