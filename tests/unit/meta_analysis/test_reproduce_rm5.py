"""RevMan 5 files: every stored result comes out, traps are read right, wrong numbers are explained."""

import json
from pathlib import Path

import numpy as np
import pytest

import vertebro_outcomes as vo
from tests.rm5_files import data_line, outcome, review, stored
from vertebro_outcomes.results.reproduction import COLUMNS

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "revman_algebra.json").read_text(encoding="utf-8")
)
KIND = {"counts": "DICH", "means": "CONT", "effects": "IV", "o_minus_e": "IPD"}
LOG = {"OR", "RR", "HR", "PETO"}
CASES = [
    (name, model)
    for name, result in PINNED["results"].items()
    for model in ("common", "random")
    if model in result
]


def settings(name, model, **more):
    data_type, _, measure, method = name.split(".")
    given = {"RANDOM": "YES" if model == "random" else "NO", "TOTALS": "YES", "CI_TOTAL": "95"}
    if data_type == "counts":
        given |= {"METHOD": method, "EFFECT_MEASURE": {"PETO": "PETO_OR"}.get(measure, measure)}
    elif data_type == "means":
        given |= {"EFFECT_MEASURE": measure}
    elif data_type == "effects":
        given |= {"LOG_DATA": "YES"}
    return given | more


def element(name, model, number=1, **more):
    data_type, table, measure, _ = name.split(".")
    result = PINNED["results"][name]
    rows = PINNED["tables"][table]
    lines = [data_line(KIND[data_type], row, i) for i, row in enumerate(rows)]
    text = {"effects": "Hazard Ratio", "o_minus_e": "Peto Odds Ratio"}.get(data_type, "")
    values = stored(*result[model], k=result["k"], log=measure in LOG)
    return outcome(
        KIND[data_type], number, settings(name, model, **more), values, lines, measure_text=text
    )


def reproduced(tmp_path, outcomes, **options):
    path = tmp_path / "review.rm5"
    path.write_bytes(review(outcomes, **options))
    return vo.reproduce(path)


@pytest.mark.parametrize(("name", "model"), CASES, ids=str)
def test_a_stored_result_comes_out_with_all_its_digits(tmp_path, name, model):
    row = reproduced(tmp_path, [element(name, model)]).to_frame().iloc[0]
    assert row["verdict"] == "reproduced", row["reason"]
    assert "all their digits" in row["reason"]
    expected = PINNED["results"][name][model]
    assert row["recomputed_tau2"] == pytest.approx(expected[2], abs=1e-9)
    assert row["recomputed_q"] == pytest.approx(expected[3], rel=1e-9, abs=1e-9)
    assert row["recomputed_estimate"] == pytest.approx(row["published_estimate"], rel=1e-9)


def test_the_cases_are_whole():
    assert len(CASES) == 2 * 18 + 2 + 2 * 3 + 1


def test_the_frame_has_the_columns_of_the_interface(tmp_path):
    frame = reproduced(tmp_path, [element("counts.plain.RR.MH", "random")]).to_frame()
    assert tuple(frame.columns[: len(COLUMNS)]) == COLUMNS
    assert frame[["unit_id", "level", "comparison", "outcome", "k"]].iloc[0].tolist() == [
        "CMP-001.01", "overall", "VP versus NSM", "Outcome 1", 5,
    ]  # fmt: skip


def with_subgroups(totals="YES", number=1):
    """Two subgroups, one study in both; overall over all rows, Q between from their pooled values."""
    rows = PINNED["tables"]["means"]
    parts, pooled = [], []
    for part in (rows[:3], rows[2:]):
        d = [r["m1"] - r["m2"] for r in part]
        v = [r["s1"] ** 2 / r["n1"] + r["s2"] ** 2 / r["n2"] for r in part]
        parts.append((np.array(d), np.array(v)))
        pooled.append(by_hand(*parts[-1]))
    overall = by_hand(*(np.concatenate(x) for x in zip(*parts, strict=True)))
    w = np.array([p[1] ** -2 for p in pooled])
    centre = (w * [p[0] for p in pooled]).sum() / w.sum()
    between = (w * (np.array([p[0] for p in pooled]) - centre) ** 2).sum()
    subgroups = [
        (
            f"Group {j}",
            stored(*p, k=len(part), log=False),
            [data_line("CONT", r, i) for i, r in enumerate(part)],
        )
        for j, (p, part) in enumerate(zip(pooled, (rows[:3], rows[2:]), strict=True))
    ]
    given = settings("means.means.MD.IV", "random", TOTALS=totals)
    result = stored(*overall, k=6, log=False) | {"Q": between}
    return outcome("CONT", number, given, result, [], subgroups), between


def by_hand(y, v):
    w = 1 / v
    mean = (w * y).sum() / w.sum()
    q = (w * (y - mean) ** 2).sum()
    tau2 = max(0.0, (q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau2)
    return (w * y).sum() / w.sum(), w.sum() ** -0.5, tau2, q


def test_subgroups_overall_and_the_test_between_them(tmp_path):
    xml, between = with_subgroups()
    frame = reproduced(tmp_path, [xml]).to_frame()
    assert frame["unit_id"].tolist() == ["CMP-001.01", "CMP-001.01.01", "CMP-001.01.02"]
    assert frame["level"].tolist() == ["overall", "subgroup", "subgroup"]
    assert frame["subgroup"].tolist() == ["", "Group 0", "Group 1"]
    assert set(frame["verdict"]) == {"reproduced"}
    assert frame["recomputed_q_between"][0] == pytest.approx(between, rel=1e-9)
    assert frame["shown"].all()


def test_an_overall_value_that_was_never_shown_is_marked(tmp_path):
    frame = reproduced(tmp_path, [with_subgroups("SUB")[0]]).to_frame()
    assert frame["shown"].tolist() == [False, True, True]


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_names_are_read_and_persons_are_not_kept(tmp_path, encoding):
    found = reproduced(tmp_path, [element("counts.plain.OR.MH", "common")], encoding=encoding)
    from vertebro_outcomes.loaders.reviews.read import read_review

    unit = read_review(tmp_path / "review.rm5").units[0]
    assert [line.study for line in unit.lines[:2]] == ["Trial-0 2001", "Trial-1 2001"]
    assert unit.lines[0].risk_of_bias == (("Allocation concealment", "YES"),)
    for text in (repr(unit), found.to_frame().to_csv(), str(found)):
        assert "Doe" not in text
        assert "jane" not in text


def test_swapped_events_and_another_level(tmp_path):
    name = "counts.plain.RR.MH"
    rows = PINNED["tables"]["plain"]
    turned = [r | {"e1": r["n1"] - r["e1"], "e2": r["n2"] - r["e2"]} for r in rows]
    values = stored(*PINNED["results"][name]["common"], k=5, log=True, z=1.6448536269514722)
    lines = [data_line("DICH", row, i) for i, row in enumerate(turned)]
    given = settings(name, "common", SWAP_EVENTS="YES", CI_TOTAL="90")
    frame = reproduced(tmp_path, [outcome("DICH", 1, given, values, lines)]).to_frame()
    assert frame["verdict"][0] == "reproduced"


def test_not_estimable_units_and_blank_results_are_not_checkable(tmp_path):
    nothing = dict.fromkeys(("EFFECT_SIZE", "CI_START", "CI_END", "CHI2", "TAU2"), "0.0")
    line = data_line("DICH", {"e1": 0, "n1": 20, "e2": 0, "n2": 21}, 0, estimable="NO")
    given = settings("counts.plain.RR.MH", "common")
    blank = settings("counts.plain.RR.MH", "common")
    full = [data_line("DICH", r, i) for i, r in enumerate(PINNED["tables"]["plain"])]
    frame = reproduced(
        tmp_path,
        [
            outcome("DICH", 1, given, nothing | {"ESTIMABLE": "NO"}, [line]),
            outcome("DICH", 2, blank, dict.fromkeys(nothing, ""), full),
        ],
    ).to_frame()
    assert frame["verdict"].tolist() == ["not_checkable", "not_checkable"]
    assert frame["reason"].tolist() == [
        "The file calls it not estimable.", "No pooled number was published.",
    ]  # fmt: skip
    assert np.isfinite(frame["recomputed_estimate"][1])


def test_another_model_than_stated_is_named(tmp_path):
    name = "counts.plain.OR.MH"
    values = stored(*PINNED["results"][name]["random"], k=5, log=True)
    lines = [data_line("DICH", r, i) for i, r in enumerate(PINNED["tables"]["plain"])]
    frame = reproduced(
        tmp_path, [outcome("DICH", 1, settings(name, "common"), values, lines)]
    ).to_frame()
    assert frame["verdict"][0] == "reproduced_otherwise"
    assert frame["specification"][0] == "OR, Mantel-Haenszel, random effects (DL)"


def test_a_misread_spread_is_named(tmp_path):
    rows = PINNED["tables"]["means"]
    wrong = [dict(r) for r in rows]
    wrong[1] |= {"s1": rows[1]["s1"] / 55**0.5, "s2": rows[1]["s2"] / 50**0.5}
    values = stored(*PINNED["results"]["means.means.MD.IV"]["random"], k=5, log=False)
    lines = [data_line("CONT", r, i) for i, r in enumerate(wrong)]
    found = reproduced(
        tmp_path, [outcome("CONT", 1, settings("means.means.MD.IV", "random"), values, lines)]
    )
    row = found.to_frame().iloc[0]
    assert row["verdict"] == "reproduced_otherwise"
    assert "the spread of Trial-1 2001 read as a standard error" in row["specification"]


def test_a_number_from_nowhere_is_not_reproduced(tmp_path):
    values = stored(-1.2345, 0.2, 0.01, 4.5, k=5, log=False)
    lines = [data_line("CONT", r, i) for i, r in enumerate(PINNED["tables"]["means"])]
    found = reproduced(
        tmp_path, [outcome("CONT", 1, settings("means.means.MD.IV", "random"), values, lines)]
    )
    assert found.to_frame()["verdict"][0] == "not_reproduced"
    assert not found.all_reproduced
    assert "1 not reproduced" in str(found)
    assert len(found.plot().lines) == 4


def test_heterogeneity_that_does_not_come_out_is_said(tmp_path):
    values = stored(*PINNED["results"]["means.means.MD.IV"]["random"], k=5, log=False) | {
        "TAU2": 0.5
    }
    lines = [data_line("CONT", r, i) for i, r in enumerate(PINNED["tables"]["means"])]
    row = reproduced(
        tmp_path, [outcome("CONT", 1, settings("means.means.MD.IV", "random"), values, lines)]
    ).to_frame().iloc[0]  # fmt: skip
    assert row["verdict"] == "reproduced"
    assert "tau² 0.5 against" in row["reason"]


def test_the_command_tells_what_to_act_on(tmp_path, capsys):
    from typer.testing import CliRunner

    from vertebro_outcomes.cli import app

    values = stored(-1.2345, 0.2, 0.01, 4.5, k=5, log=False)
    lines = [data_line("CONT", r, i) for i, r in enumerate(PINNED["tables"]["means"])]
    wrong = outcome("CONT", 2, settings("means.means.MD.IV", "random"), values, lines)
    path = tmp_path / "review.rm5"
    path.write_bytes(review([element("counts.plain.RR.MH", "random"), wrong]))
    answer = CliRunner().invoke(app, ["reproduce", str(path), "--output", str(tmp_path / "out")])
    assert answer.exit_code == 1
    assert "CMP-001.02  not reproduced: VP versus NSM, Outcome 2" in answer.output
    assert "1 reproduced, 1 not reproduced" in answer.output
    page = (tmp_path / "out" / "review_reproduction.html").read_text(encoding="utf-8")
    assert page.index("CMP-001.02") < page.index("CMP-001.01")
    assert "://" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "out" / "review_reproduction.csv").read_text().count("\n") == 3
    path.write_bytes(review([element("counts.plain.RR.MH", "random")]))
    assert CliRunner().invoke(app, ["reproduce", str(path)]).exit_code == 0
