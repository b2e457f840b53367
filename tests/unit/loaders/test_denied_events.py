"""A time beside a column that says that nothing happened is one of follow-up."""

import pytest

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.pseudonyms import pseudonym

KEY = b"denied"
TREATED = "patient_id,treatment,procedure_date,"


def feeds_of(folder, header, *rows):
    lines = [f"{n},VP,2019-02-03,{row}" for n, row in enumerate(rows, start=1)]
    (folder / "t.csv").write_text("\n".join([TREATED + header, *lines]) + "\n")
    return propose_mapping(folder / "t.csv")


def test_the_time_of_somebody_alive_is_no_death(tmp_path):
    feeds_of(tmp_path, "Death (0/1),Time to death (months),sex", "1,6,f", "0,24,m", "0,,f")
    cohort = load(tmp_path, key=KEY)
    people = cohort.frame("patients").set_index("patient_id")
    days = people.loc[[pseudonym(n, KEY) for n in "123"], "death_day"]
    assert days.fillna(-1).tolist() == [183, -1, -1]
    assert people["sex"].notna().all()
    assert any("'Death (0/1)' says no" in note for note in cohort.notes)
    assert cohort.accounting.iloc[0, 1:].tolist() == [3, 3, 0, 0]


@pytest.mark.parametrize(
    ("header", "rows", "table"),
    [
        ("died,date of death", ("yes,2020-01-01", "no,2021-01-01"), "patients"),
        ("New fracture (y/n),Time to new fracture (months)", ("y,6", "n,24"), "fractures"),
        ("Neue Fraktur,Datum neue Fraktur", ("ja,2020-01-01", "nein,2021-01-01"), "fractures"),
    ],
)
def test_what_did_not_happen_is_read_only_where_it_did(tmp_path, header, rows, table):
    flag = header.split(",")[0]
    feeds = [
        feed for feed in feeds_of(tmp_path, header, *rows).content["feed"] if feed["table"] == table
    ]
    assert [feed["where"] for feed in feeds if "where" in feed] == [{flag: [rows[0].split(",")[0]]}]


def test_times_of_what_happened_need_no_other_column(tmp_path):
    proposal = feeds_of(tmp_path, "died,date of death", "yes,2020-01-01", "no,")
    assert not any("where" in feed for feed in proposal.content["feed"])
    assert not proposal.remarks


def test_a_crossover_has_its_own_date(tmp_path):
    proposal = feeds_of(tmp_path, "Crossover (Y/N),Crossover date", "Y,2019-03-01", "N,")
    (feed,) = (feed for feed in proposal.content["feed"] if feed["table"] == "events")
    assert feed["columns"]["type"] == {"constant": "crossover"}
    assert feed["columns"]["date"] == {"column": "Crossover date"}


def test_what_a_fracture_was_like_does_not_deny_it(tmp_path):
    header = "newfx_date,newfx_level,newfx_adjacent,new_fracture_symptomatic"
    proposal = feeds_of(tmp_path, header, "2020-01-01,L2,1,no", "2021-01-01,T6,0,yes")
    (feed,) = (feed for feed in proposal.content["feed"] if feed["table"] == "fractures")
    assert "where" not in feed
