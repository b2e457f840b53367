"""Spellings, order and distance of vertebral levels."""

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.spine import LEVELS, level_distance, parse_level, parse_levels

SPELLINGS = {
    "T12": [
        "T12",
        "Th12",
        "TH12",
        "th12",
        "D12",
        "d-12",
        "BWK12",
        "BWK-12",
        "T-12",
        "t.12",
        "T_12",
        "Bw12",
        "BWK 12",
        "12. BWK",
        "thoracic 12",
        "12th thoracic vertebra",
        " Th 12 ",
        "T12 vertebral body",
    ],
    "L1": [
        "L1",
        "l1",
        "LWK1",
        "L-1",
        "L01",
        "LW1",
        "lumbar 1",
        "Lumbar vertebra 1",
        "first lumbar vertebra",
        "1st lumbar",
        "L 1",
        "LWK 1",
    ],
    "T9": ["T9", "T09", "Th 09", "dorsal 9", "Brustwirbelkörper 9"],
}
LISTS = {
    "L1, L3": ["L1", "L3"],
    "T11-L1": ["T11", "T12", "L1"],
    "Th11-L1": ["T11", "T12", "L1"],
    "T11 – L1": ["T11", "T12", "L1"],
    "T11 to L1": ["T11", "T12", "L1"],
    "BWK 11 bis LWK 1": ["T11", "T12", "L1"],
    "T12/L1": ["T12", "L1"],
    "L1-3": ["L1", "L2", "L3"],
    "L1,3": ["L1", "L3"],
    "T11/12": ["T11", "T12"],
    "L1 and L2": ["L1", "L2"],
    "T12 e L1": ["T12", "L1"],
    "T12 og L2": ["T12", "L2"],
    "T12 och L2": ["T12", "L2"],
    "T12 en L2": ["T12", "L2"],
    "T12 t/m L2": ["T12", "L1", "L2"],
    "Th11 till L1": ["T11", "T12", "L1"],
    "D11 al L1": ["T11", "T12", "L1"],
    "L1 L2": ["L1", "L2"],
    "T7, T9-11; L2 + L4": ["T7", "T9", "T10", "T11", "L2", "L4"],
    "d-12, d-11": ["T12", "T11"],
    "L1-T11": ["T11", "T12", "L1"],
    "L1, L1": ["L1"],
    "L1\nL2": ["L1", "L2"],
    "T12": ["T12"],
}


@pytest.mark.parametrize(("level", "text"), [(k, t) for k, v in SPELLINGS.items() for t in v])
def test_every_spelling_of_one_level(level, text):
    assert parse_level(text) == level


@pytest.mark.parametrize("text", LISTS)
def test_lists_ranges_and_pairs(text):
    assert parse_levels(text) == LISTS[text]


@pytest.mark.parametrize("level", LEVELS)
def test_canonical_names_are_their_own_spelling(level):
    assert parse_level(level) == level
    assert parse_levels(level) == [level]


@pytest.mark.parametrize(
    "text", ["", "x", "12", "T13", "L6", "L0", "L1a", "T12-", "T1 2 3 x", "none", "T123", None, 12]
)
def test_what_is_no_level_is_refused(text):
    with pytest.raises(vo.InputError, match=r"T1 to L5|both ends"):
        parse_levels(text)


@pytest.mark.parametrize(("text", "said"), [("C7", "cervical level C7"), ("S1", "sacral level S1")])
def test_levels_outside_are_named(text, said):
    with pytest.raises(vo.InputError, match=said):
        parse_level(text)


def test_one_level_means_one():
    with pytest.raises(vo.InputError, match="2 levels"):
        parse_level("T12/L1")


def test_distance_is_symmetric_counts_vertebrae_and_obeys_the_triangle():
    assert level_distance("T12", "L2") == 2
    assert level_distance("D12", "LWK1") == 1
    for a in LEVELS:
        assert level_distance(a, a) == 0
        for b in LEVELS:
            assert level_distance(a, b) == level_distance(b, a)
            assert level_distance(a, b) <= level_distance(a, "T10") + level_distance("T10", b)
    assert level_distance("T1", "L5") == 16
    assert len(LEVELS) == 17
