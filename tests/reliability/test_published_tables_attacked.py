"""All tables that the report publishes of a registry, attacked together by linear programming."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests.reliability.attack import Attacker, Knowledge, cells, sensitive
from tests.reliability.tally import tally
from vertebro_outcomes.display.disclosure import HIDDEN, LARGEST_HIDDEN
from vertebro_outcomes.report.blocks import TableBlock, flat
from vertebro_outcomes.report.sections import (
    registry_claims,
    registry_complications,
    registry_overview,
    registry_pain,
    registry_safety,
    registry_survival,
)

REGISTRIES = ((350, 3), (260, 4), (700, 5), (500, 6), (420, 8))  # patients, seed


def tables_of(found):
    """Every table that the report writes of this registry, by name."""
    sections = (
        registry_overview,
        registry_pain,
        registry_safety,
        registry_survival,
        registry_claims,
    )
    blocks = [block for section in sections for block in flat(section.build(found))]
    blocks += flat(registry_complications.build(found, {}))
    return {
        block.name.removeprefix("registry_x_"): block.data
        for block in blocks
        if isinstance(block, TableBlock)
    }


def analysed(n, seed, folder):
    """A registry that went through files with errors in them."""
    cohort, _ = vo.simulate_registry(n_patients=n, seed=seed, scenario="confounded")
    vo.export_registry(cohort, folder, format="csv", dirt=True, seed=seed)
    return replace(vo.analyse_registry(vo.load(folder, key=b"k")), name="x")


@pytest.mark.slow
def test_no_small_number_follows_from_all_tables_together(tmp_path):
    found = [analysed(n, seed, tmp_path / str(seed)) for n, seed in REGISTRIES]
    full = [tables_of(replace(one, largest_hidden=0)) for one in found]
    knowledge = Knowledge(full)
    assert len(knowledge.sums) > 50
    attacked = tables = 0
    told = []
    for one, whole in zip(found, full, strict=True):
        published, truth = tables_of(one), cells(whole)
        attacker = Attacker(published, knowledge)
        tables += len(published)
        for words, form in sensitive(whole):
            value = sum(weight * truth[cell] for cell, weight in form.items())
            if not 0 < value <= LARGEST_HIDDEN or not attacker.knows_of(form):
                continue
            attacked += 1
            low, high = attacker.range_of(form)
            if high <= LARGEST_HIDDEN:
                told.append((words, value, low, high))
        for name, frame in published.items():
            assert not {"min", "max", "minimum", "maximum", "range"} & set(frame.columns), name
    assert told == []
    assert attacked > 300
    tally(
        "disclosure",
        "all tables of a registry together",
        tables=tables,
        cells=attacked,
        recovered=0,
    )


def registry(flow, course):
    """Two tables that share a number, as the report has them."""
    return {
        "flow": pd.DataFrame({"step": ["all", "with a score"], "n_t": flow}),
        "course": pd.DataFrame({"day": [90], "n_t": course}),
    }


def test_the_attacker_sees_what_another_table_gives_away():
    seen = [registry([n, n - 50], [n - 50]) for n in (90, 130, 171, 208)]
    form = {("flow", "all", "n_t"): 1.0, ("flow", "with a score", "n_t"): -1.0}
    told = Attacker(registry([60, HIDDEN], [55]), Knowledge(seen)).range_of(form)
    assert told == pytest.approx((5.0, 5.0))
    low, high = Attacker(registry([60, HIDDEN], [HIDDEN]), Knowledge(seen)).range_of(form)
    assert low == pytest.approx(0.0, abs=1e-9)
    assert high == pytest.approx(60.0)


def test_the_attacker_adds_up():
    def arms(kp, vp, other, *, shown=True):
        chart = {"step": ["all"], "n_patients": [kp + vp + other], "n_KP": [kp], "n_VP": [vp]}
        return {"flow": pd.DataFrame({**chart, "n_other": [other if shown else HIDDEN]})}

    seen = [arms(100, 50, 20), arms(80, 64, 31), arms(220, 90, 7), arms(61, 77, 12)]
    form = {("flow", "all", "n_other"): 1.0}
    told = Attacker(arms(90, 70, 4, shown=False), Knowledge(seen)).range_of(form)
    assert told == pytest.approx((4.0, 4.0))
    words = [words for words, _ in sensitive(arms(90, 70, 4))]
    assert any("without n_KP" in said for said in words)
    assert np.isnan(cells(arms(90, 70, 4, shown=False))["flow", "all", "n_other"])
