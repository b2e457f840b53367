"""Treatments in columns side by side: each is an episode, with what has its number."""

import pytest

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.proposed_levels import side_by_side
from vertebro_outcomes.loaders.proposed_treatments import REMARK
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"several"
NAMES = {pseudonym(str(n), KEY): n for n in range(1, 10)}
NUMBERED = """\
patient_id,fracture_date,treatment_1,date_1,level_1,cement_1,leakage_1,treatment_2,date_2,level_2,cement_2,leakage_2,vas_pre
1,2019-01-20,KP,03/02/2019,T12,3.5,none,VP,01/03/2020,L1,4,disc,8
2,2019-01-22,VP,25/02/2019,L1,4,venous,,,,,,7
3,2019-01-29,NSM,09/02/2019,L2,,,KP,09/11/2019,L4,3,none,9
"""


def episodes_of(cohort):
    """{patient: [(treatment, year, levels)]} in order of time."""
    levels = cohort.frame("levels")
    found = {}
    for row in cohort.frame("episodes").sort_values("episode_id").itertuples():
        own = levels.loc[levels["episode_id"] == row.episode_id, "level"]
        told = (row.treatment, int(row.index_year), sorted(own))
        found.setdefault(NAMES[row.patient_id], []).append(told)
    return found


def test_numbered_treatments_are_episodes_with_their_vertebrae(tmp_path):
    (tmp_path / "t.csv").write_text(NUMBERED)
    cohort = load(tmp_path, key=KEY)
    assert episodes_of(cohort) == {
        1: [("KP", 2019, ["T12"]), ("VP", 2020, ["L1"])],
        2: [("VP", 2019, ["L1"])],
        3: [("NSM", 2019, ["L2"]), ("KP", 2019, ["L4"])],
    }
    first = cohort.frame("episodes").dropna(subset=["fracture_day"])
    assert sorted(zip(first["patient_id"].map(NAMES), first["fracture_age_days"], strict=True)) == [
        (1, 14), (2, 34), (3, 11),
    ]  # fmt: skip
    leaks = cohort.frame("events")
    assert sorted(zip(leaks["patient_id"].map(NAMES), leaks["type"], leaks["day"], strict=True)) == [
        (1, "cement_leakage_disc", 0), (2, "cement_leakage_venous", 0),
    ]  # fmt: skip
    assert cohort.rejects.empty
    assert cohort.unmapped.empty
    assert REMARK in cohort.notes


@pytest.mark.slow
def test_the_mapping_says_how_sure_it_is_and_loads_alike(tmp_path):
    (tmp_path / "t.csv").write_text(NUMBERED)
    proposal = propose_mapping(tmp_path)
    frame = proposal.to_frame().set_index("column")
    assert frame.loc["treatment_2", ["table", "target"]].tolist() == ["episodes", "treatment"]
    assert 0 < frame.loc["date_1", "sure"] < 0.85
    assert REMARK in str(proposal)
    (tmp_path / "m.toml").write_text(str(proposal))
    expected = episodes_of(load(tmp_path, key=KEY))
    assert episodes_of(load(tmp_path, mapping=tmp_path / "m.toml", key=KEY)) == expected


@pytest.mark.slow
def test_treatments_with_dates_alone_and_a_first_one_without_a_number(tmp_path):
    (tmp_path / "a.csv").write_text(
        "Patient_ID;Alter;Eingriff1;OP-Datum1;Eingriff2;OP-Datum2\n"
        "1;70;Kyphoplastie;03.02.2019;Vertebroplastie;01.03.2020\n2;75;Vertebroplastie;05.02.2019;;\n"
    )
    assert episodes_of(load(tmp_path / "a.csv", key=KEY)) == {
        1: [("KP", 2019, []), ("VP", 2020, [])],
        2: [("VP", 2019, [])],
    }
    (tmp_path / "b.csv").write_text(
        "patient_id,treatment,procedure_date,cement_ml,treatment_2,procedure_date_2,cement_ml_2\n"
        "1,KP,2019-02-03,4,VP,2020-03-01,5\n2,VP,2019-02-05,3,,,\n"
    )
    cohort = load(tmp_path / "b.csv", key=KEY)
    assert episodes_of(cohort)[1] == [("KP", 2019, []), ("VP", 2020, [])]
    assert sorted(cohort.frame("episodes")["cement_ml"]) == [3, 4, 5]


@pytest.mark.parametrize(
    ("header", "row", "tables"),
    [
        ("id,therapy_1,therapy_2", "1,aspirin,heparin", []),  # no treatments of fractures
        ("id,treatment_1,date_1,vas_1,treatment_2,date_2,vas_2", "1,KP,2019-02-03,8,VP,2020-03-01,3",
         ["treatment"] * 2),  # the dates may be those of visits
        ("id,op_date_1,op_date_2", "1,2019-02-03,2020-03-01", []),
        ("id,1st_treatment,1st_treatment_date,2nd_treatment,2nd_treatment_date",
         "1,KP,2019-02-03,VP,2020-03-01", ["treatment", "treatment_date"] * 2),
    ],
)  # fmt: skip
def test_what_are_treatments_side_by_side(header, row, tables):
    cells = [row.split(",")]
    source = source_from_rows(
        embedded_engine(), "t", header=header.split(","), rows=cells, lines=[1]
    )
    made = side_by_side(source, {"patient_id": {"column": "id"}}, set())
    told = [name for feed in made for name in feed["columns"]]
    assert [name for name in told if name not in ("patient_id", "episode_id")] == tables
