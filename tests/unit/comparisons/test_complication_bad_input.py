"""Events that cannot be: every question about complications and fractures says why, in words."""

import pandas as pd
import pytest

import vertebro_outcomes as vo

N = 24
IDS = [f"p{i:02d}" for i in range(N)]
ARMS = {"treatment": "KP", "comparator": "VP"}
COUNTS = {
    "complication_rates": {},
    "complication_sites": {},
    "complication_definitions": {},
    "complication_ranking": {},
    "complication_chart": {"rate": 0.1},
    "compare_complications": ARMS,
}
TIMES = {
    "cumulative_incidence": {"event": "fracture"},
    "adjacent_fractures": {**ARMS, "event": "fracture"},
    "recurrent_fractures": ARMS,
}


def frames() -> dict[str, pd.DataFrame]:
    return {
        "patients": pd.DataFrame({"patient_id": IDS, "site": ["A", "B"] * 12, "death_day": [300] * N}),
        "episodes": pd.DataFrame(
            {
                "patient_id": IDS, "treatment": (["VP"] * 2 + ["KP"] * 2) * 6,
                "followup_end_day": [300] * N,
                "treatment_date": pd.date_range("2020-01-01", periods=N),
            }
        ),
        "events": pd.DataFrame({"patient_id": IDS[:8], "type": "cement_leakage", "day": 0}),
        "fractures": pd.DataFrame({"patient_id": IDS[:8], "day": range(20, 28), "adjacent": True}),
    }  # fmt: skip


def ask(name: str, how: dict, tables: dict[str, pd.DataFrame]) -> None:
    getattr(vo, name)(vo.Cohort.from_frames(**tables), **how)


@pytest.mark.parametrize(("name", "how"), [*COUNTS.items(), *TIMES.items()])
def test_whole_data_are_answered(name: str, how: dict) -> None:
    ask(name, how, frames())


@pytest.mark.parametrize(("name", "how"), COUNTS.items())
def test_no_events(name: str, how: dict) -> None:
    tables = frames()
    empty = {
        **tables,
        "events": tables["events"].iloc[:0],
        "fractures": tables["fractures"].iloc[:0],
    }
    with pytest.raises(vo.InputError, match=r"no complication|both are empty"):
        ask(name, how, empty)


@pytest.mark.parametrize(("name", "how"), TIMES.items())
def test_no_fractures(name: str, how: dict) -> None:
    tables = frames()
    with pytest.raises(vo.InputError):
        ask(name, how, {**tables, "fractures": tables["fractures"].iloc[:0]})


def test_one_arm_without_events_has_a_rate_of_nothing_and_a_bound() -> None:
    tables = frames()
    vp = tables["episodes"].loc[tables["episodes"]["treatment"] == "VP", "patient_id"]
    tables["events"] = tables["events"][tables["events"]["patient_id"].isin(vp)]
    rates = vo.complication_rates(vo.Cohort.from_frames(**tables)).to_frame()
    kp = rates.loc[(rates["treatment"] == "KP") & (rates["type"] == "any")].squeeze()
    assert [kp["rate"], kp["upper_rule_of_three"]] == [0, 3 / 12]


@pytest.mark.parametrize(("name", "how"), COUNTS.items())
def test_events_before_day_0(name: str, how: dict) -> None:
    tables = frames()
    tables["events"] = tables["events"].assign(day=-4)
    with pytest.raises(vo.InputError, match="before day 0"):
        ask(name, how, tables)


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("events", "type", "cement everywhere", "type"),
        ("events", "level", "C2", "level"),
        ("fractures", "level", "S1", "level"),
        ("events", "severity", "awful", "severity"),
        ("episodes", "treatment", "GLUE", "treatment"),
    ],
)
def test_words_outside_the_vocabulary(table: str, column: str, value: str, said: str) -> None:
    tables = frames()
    tables[table] = tables[table].assign(**{column: value})
    with pytest.raises(vo.VertebroError, match=said):
        vo.Cohort.from_frames(**tables)
