"""Hidden counts stay hidden from somebody who has all totals and a linear programme."""

import itertools
import random

import numpy as np
import pandas as pd
import pytest

from tests.reliability.tally import tally
from vertebro_outcomes.display.disclosure import (
    HIDDEN,
    LARGEST_HIDDEN,
    feasible_range,
    hide_groups,
    hide_in_flow,
    hide_in_table,
    hide_parts,
    hide_shares,
    is_small,
)


def test_one_to_ten_are_small_and_zero_is_not():
    assert is_small([0, 1, 10, 11, 400]).tolist() == [False, True, True, False, False]


def test_a_share_is_hidden_with_its_complement_and_in_small_groups():
    hidden = hide_shares([0, 3, 50, 297, 8, 300], [300, 300, 300, 300, 9, 300])
    assert hidden.tolist() == [False, True, False, True, True, False]


def test_groups_whose_sums_are_shown_by_hand():
    sizes = [200, 200, 200, 200]
    assert hide_groups([3, 40, 50, 60], sizes).tolist() == [True, True, False, False]
    assert hide_groups([3, 4, 50, 60], sizes).tolist() == [True, True, True, False]  # 3 + 4 = 7
    assert hide_groups([30, 40, 50, 60], sizes).tolist() == [False] * 4
    assert hide_groups([3, 4], [200, 200]).tolist() == [True, True]
    assert hide_groups([195, 40, 50], sizes[:3]).tolist() == [True, True, False]


def test_parts_of_a_total_by_hand():
    assert hide_parts([40, 30, 4]).tolist() == [False, True, True]
    assert hide_parts([40, 30, 20]).tolist() == [False, False, False]
    assert hide_parts([40, 30, 0]).tolist() == [False, False, False]
    assert hide_parts([100, 3, 2]).tolist() == [
        True,
        True,
        True,
    ]  # 3 + 2 would tell that both are small
    assert hide_parts([100, 6, 7]).tolist() == [False, True, True]


def attack(counts, hidden, columns):
    """Every hidden small count must be able to be large, and not be pinned to a value; how many cells."""
    cells = np.argwhere(is_small(counts))
    for cell in cells:
        place = tuple(int(v) for v in cell)
        assert hidden[place]
        low, high = feasible_range(counts, hidden, place, columns=columns)
        if hidden.all():
            continue
        assert high > low
        assert high > LARGEST_HIDDEN, (counts.tolist(), hidden.tolist(), place, low, high)
    return 0 if hidden.all() else len(cells)


@pytest.mark.parametrize("columns", ["shown", "unknown"])
def test_a_linear_programme_recovers_nothing(columns):
    draws = np.random.default_rng(7)
    attacked = tables = 0
    for _ in range(300):
        shape = draws.integers(1, 5), draws.integers(2, 6)
        counts = draws.choice([0, 1, 2, 3, 5, 9, 10, 11, 14, 30, 80, 400], size=shape)
        hidden = hide_in_table(counts, columns=columns)
        possible = counts[hidden].sum() > LARGEST_HIDDEN
        if columns == "unknown":
            for row, shade in zip(counts, hidden, strict=True):
                if row.sum() > LARGEST_HIDDEN or not shade.any():
                    attacked += attack(row[None, :], shade[None, :], columns)
                    tables += 1
        elif possible and all(line.sum() > LARGEST_HIDDEN for line in (*counts, *counts.T)):
            attacked += attack(counts, hidden, columns)
            tables += 1
    assert attacked > 300
    tally("disclosure", f"column totals {columns}", tables=tables, cells=attacked, recovered=0)


def test_order_does_not_matter():
    counts = [3, 40, 25, 90]
    for order in itertools.permutations(range(4)):
        hidden = hide_parts([counts[i] for i in order])
        assert {counts[i] for i, h in zip(order, hidden, strict=True) if h} == {3, 25}


def test_steps_that_few_leave_are_put_together():
    chart = pd.DataFrame({"step": ["all", "a", "b", "c", "d"], "n": [500, 497, 480, 480, 476]})
    shown = hide_in_flow(chart, columns=["n"])
    assert shown["step"].tolist() == ["all", "a; b", "c", "d"]
    assert shown["n"].tolist() == [500, 480, 480, HIDDEN]


def test_no_two_lines_of_a_flow_differ_by_a_few():
    draws = random.Random(3)
    for _ in range(200):
        n = [draws.randrange(400, 900)]
        m = [draws.randrange(40, 90)]
        for _ in range(6):
            n.append(max(0, n[-1] - draws.choice([0, 1, 5, 10, 11, 60])))
            m.append(max(0, m[-1] - draws.choice([0, 0, 2, 12])))
        chart = pd.DataFrame({"step": list("abcdefg"), "n_t": n, "n_c": m})
        shown = hide_in_flow(chart, columns=["n_t", "n_c"])
        for name in ("n_t", "n_c"):
            values = [v for v in shown[name] if v != HIDDEN]
            assert all(not 0 < a - b <= LARGEST_HIDDEN for a, b in itertools.pairwise(values))
            assert not is_small(values).any()
        assert {w for words in shown["step"] for w in words.split("; ")} == set("abcdefg")
