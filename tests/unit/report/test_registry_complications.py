"""The section on complications: what it shows of a registry, and what it keeps to itself."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.registry_analysis import InControl
from vertebro_outcomes.display.disclosure import HIDDEN
from vertebro_outcomes.report.blocks import FigureBlock, Prose, TableBlock, flat
from vertebro_outcomes.report.sections.registry_complications import build
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis


@cache
def analysed() -> RegistryAnalysis:
    """A hundred and fifty patients in three sites, 60 with a leak, 25 with an adjacent fracture."""
    n = 150
    ids = np.array([f"p{i:03d}" for i in range(n)])
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "site": ["A", "B", "C"] * 50}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": "VP",
             "treatment_date": pd.date_range("2021-03-01", periods=n)}
        ),
        events=pd.DataFrame(
            {"patient_id": [*ids[:60], *ids[60:63]], "type": ["cement_leakage"] * 60 + ["fever"] * 3,
             "day": 0, "symptomatic": None}
        ),
        fractures=pd.DataFrame({"patient_id": ids[90:115], "day": 100, "adjacent": True}),
        synthetic=True, name="small",
    )  # fmt: skip
    empty = pd.DataFrame()
    return RegistryAnalysis(
        name="small", synthetic=True, coverage=empty, quality=empty, accounting=empty,
        rejected=empty, attrition=empty, comparisons={}, trajectories={}, complications=None,
        incidence=None, fractures={}, deaths={}, vertebrae=None,
        sites=vo.complication_sites(cohort, unit="episodes", within_days=30),
        chart=vo.complication_chart(cohort, rate=0.4),
        definitions=vo.complication_definitions(cohort), ranking=vo.complication_ranking(cohort),
    )  # fmt: skip


def by_name(blocks: tuple) -> dict:
    return {b.name: b for b in blocks if isinstance(b, TableBlock | FigureBlock)}


def test_every_picture_and_table_says_synthetic() -> None:
    blocks = by_name(list(flat(build(analysed(), {}))))
    pictures = [b for b in flat(build(analysed(), {})) if isinstance(b, FigureBlock)]
    assert {b.name.removeprefix("registry_small_") for b in pictures} == {
        "sites", "cusum", "definitions", "most_common"
    }  # fmt: skip
    assert all("SYNTHETIC DATA" in b.svg for b in pictures)
    tables = [b for b in flat(build(analysed(), {})) if isinstance(b, TableBlock)]
    assert len(tables) == 3
    for block in tables:
        made = pd.Series(True, index=block.data.index)
        if block.name.endswith("definitions"):  # the literature beside the registry is real
            made = block.data["source"] == "registry"
            assert made.any()
            assert (block.data.loc[~made, "data"] == "published").all()
        assert (block.data.loc[made, "data"] == "synthetic").all()
    assert len(blocks) == 4


def test_counts_that_differ_by_a_few_are_hidden() -> None:
    """60 leaks are shown; 63 with any complication would tell of the three with fever."""
    tables = [b for b in flat(build(analysed(), {})) if isinstance(b, TableBlock)]
    data = next(b for b in tables if b.name.endswith("definitions")).data
    seen = sorted({int(v) for v in data["n_events"] if not isinstance(v, str) and v > 0})
    assert seen
    assert all(b - a > 10 for a, b in pairwise(seen))
    assert (data["n_events"] == HIDDEN).any()
    hidden = data["n_events"] == HIDDEN
    assert (data.loc[hidden, ["rate", "ci_low", "p_inside"]] == HIDDEN).all(axis=None)


def test_own_use_shows_all_counts() -> None:
    tables = [
        b
        for b in flat(build(replace(analysed(), largest_hidden=0), {}))
        if isinstance(b, TableBlock)
    ]
    assert not any((b.data == HIDDEN).any(axis=None) for b in tables)


def test_published_rates_stand_beside() -> None:
    table = pd.DataFrame({"study": ["a", "b", "c"], "events": [3, 9, 4], "n": [100, 120, 80]})
    fit = vo.pool_counts(table, measure="PLO")
    blocks = list(flat(build(analysed(), {"any": fit})))
    rows = next(b for b in blocks if isinstance(b, TableBlock) and b.name.endswith("definitions"))
    assert rows.shown["definition"].str.contains("literature").sum() == 2


def test_small_registries_say_so_instead() -> None:
    found = analysed()
    assert found.chart is not None
    assert found.ranking is not None
    few = replace(
        found, chart=replace(found.chart, chart=found.chart.chart.iloc[:12]),
        ranking=replace(found.ranking, ranks=found.ranking.ranks.assign(n_events=4)),
    )  # fmt: skip
    words = " ".join(str(b.html) for b in build(few, {}) if isinstance(b, Prose))
    assert "Too few complications to draw" in words
    assert "Too few complications to say" in words
    none = replace(found, sites=None, chart=None, definitions=None, ranking=None)
    assert build(none, {}) == ()


def test_the_chart_says_whose_rate_it_holds_procedures_against() -> None:
    for whose, said in (
        ("registry", "that of the whole registry"),
        ("published", "the pooled published one"),
        ("set", "as set for this report"),
    ):
        blocks = build(replace(analysed(), chart_rate=whose), {})
        assert any(said in b.html for b in blocks if isinstance(b, Prose))


def test_the_chart_is_held_against_the_rate_that_is_given() -> None:
    ids = [f"p{i:03d}" for i in range(80)]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "site": ["A", "B"] * 40}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": "VP", "followup_end_day": 200,
             "treatment_date": pd.date_range("2021-03-01", periods=80)}
        ),
        events=pd.DataFrame({"patient_id": ids[::8], "type": "cement_leakage", "day": 0}),
    )  # fmt: skip
    own = vo.analyse_registry(cohort, strategies=[])
    assert (own.chart.rate, own.chart_rate) == (10 / 80, "registry")
    given = vo.analyse_registry(cohort, strategies=[], in_control=InControl(0.03, "published"))
    assert (given.chart.rate, given.chart_rate) == (0.03, "published")
