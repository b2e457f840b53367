"""Exports end to end: five readers agree, traps are read right, every row is accounted for."""

from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.load import check, formats, load, normalise
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.staging import NO_PATIENT
from vertebro_outcomes.simulate.exports.demonstrations import write_demonstrations
from vertebro_outcomes.tables.cohort_tables import STORED

REGISTRIES = Path(__file__).parents[3] / "data" / "raw" / "registries"
KEY = b"a key for tests"
DEMOS = ("demo_csv", "demo_excel", "demo_omop", "demo_redcap", "demo_stata")


def id_of(text):
    return pseudonym(text, KEY)


@pytest.fixture(scope="module")
def demos():
    return {name: load(REGISTRIES / name, key=KEY) for name in DEMOS}


def test_the_demonstrations_are_all_there_and_marked(demos):
    for name, cohort in demos.items():
        assert cohort.synthetic
        assert "SYNTHETIC" in (REGISTRIES / name / "SOURCE.md").read_text()
        accounts = cohort.accounting
        gone = accounts["rows_rejected"] + accounts["rows_ignored"]
        assert (accounts["rows_in"] == accounts["rows_used"] + gone).all()
        assert accounts["rows_rejected"].sum() == 0
        assert cohort.rejects.empty
        patients = cohort.frame("patients")
        assert (len(patients), patients["site"].nunique()) == (3000, 3)


@pytest.mark.parametrize("name", DEMOS)
@pytest.mark.parametrize("table", STORED)
def test_one_truth_through_five_readers_is_one_cohort(demos, name, table):
    expected, found = (cohort.frame(table) for cohort in (demos["demo_csv"], demos[name]))
    if table == "absences":  # `missing` says no more than the blank cell itself
        found = found[found["reason"] != "missing"].reset_index(drop=True)
    else:
        assert len(expected) > 500
    by = list(expected.columns)
    pd.testing.assert_frame_equal(
        found.sort_values(by, ignore_index=True),
        expected.sort_values(by, ignore_index=True),
        check_exact=True,
    )


def test_the_demonstrations_are_what_the_simulation_makes(tmp_path):
    """Byte for byte, and small enough to travel with the package."""
    made = write_demonstrations(tmp_path)
    assert set(made["format"]) == {name.removeprefix("demo_") for name in DEMOS}
    assert made["bytes"].sum() < 10_000_000
    for name in DEMOS:
        files = sorted(path.name for path in (REGISTRIES / name).iterdir())
        assert files == sorted(path.name for path in (tmp_path / name).iterdir())
        for file in files:
            same = (tmp_path / name / file).read_bytes() == (REGISTRIES / name / file).read_bytes()
            assert same, f"{name}/{file}: write the demonstrations again (make demonstrations)"


def test_the_truth_itself(demos):
    """The first treated patient of behandlungen.csv, her days counted by hand from her dates."""
    text = (REGISTRIES / "demo_csv" / "behandlungen.csv").read_text(encoding="latin-1")
    lines = [line.split(";") for line in text.splitlines()]
    rows = (dict(zip(lines[0], line, strict=True)) for line in lines[1:])
    row = next(row for row in rows if row["OP-Datum"])
    days = {
        k: pd.to_datetime(row[k], dayfirst=True) for k in row if "datum" in k.lower() and row[k]
    }
    episodes = demos["demo_csv"].frame("episodes").set_index("patient_id")
    episode = episodes.loc[id_of(row["PatNr"])]
    assert episode["treatment"] == {"Kyphoplastie": "KP", "Vertebroplastie": "VP"}[row["Maßnahme"]]
    assert episode["fracture_day"] == (days["Frakturdatum"] - days["OP-Datum"]).days
    assert episode["presentation_day"] == (days["Aufnahmedatum"] - days["OP-Datum"]).days


BAD = """\
id;sex;dob;arm;fx;op;dod;level
A;f;1940-01-01;VP;2019-01-10;2019-02-01;;L1, L3
B;m;1941-01-01;KP;2019-03-01;2019-02-01;2019-02-05;T11-L1
C;q;1942-01-01;NSM;2019-02-30;;;C7
D;f;1943-01-01;Magic;2019-01-01;;;
A;m;1940-01-01;VP;2019-01-10;2019-02-01;;
;f;1950-01-01;VP;2019-01-10;2019-02-01;;
E;f;1944-01-01;VP;2019-01-10;2019-02-01;;;;extra
"""
BAD_SCORES = """\
id;when;vas;mm
A;2019-02-01;8;80
A;2019-02-01;8;80
A;2019-02-01;3;30
A;2019-03-01;12;20
B;2019-03-01;5;90
B;2019-04-01;x;95
Z;2019-03-01;5;50
D;;4;99
A;2019-05-01;-1;70
"""
MAPPING = """\
name = "bad"
[[feed]]
source = "people.csv"
table = "patients"
[feed.columns]
patient_id = "id"
sex = "sex"
birth_date = "dob"
death_date = "dod"
[[feed]]
source = "people.csv"
table = "episodes"
[feed.columns]
patient_id = "id"
treatment = "arm"
fracture_date = "fx"
treatment_date = "op"
[[feed]]
source = "people.csv"
table = "levels"
[feed.columns]
patient_id = "id"
level = "level"
[[feed]]
source = "visits.csv"
table = "scores"
[feed.columns]
patient_id = "id"
date = "when"
instrument = { constant = "pain_vas" }
value = { column = "vas", missing = { "-1" = "not_asked" } }
[[feed]]
source = "visits.csv"
table = "scores"
[feed.columns]
patient_id = "id"
date = "when"
instrument = { constant = "pain_nrs" }
value = { column = "mm", scale = [0, 10] }
"""


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "people.csv").write_text(BAD)
    (folder / "visits.csv").write_text(BAD_SCORES)
    (folder / "mapping.toml").write_text(MAPPING)
    return folder


@pytest.fixture(scope="module")
def bad(bad_folder):
    before = sorted(path.name for path in bad_folder.iterdir())
    checked = check(bad_folder, key=KEY)
    assert sorted(path.name for path in bad_folder.iterdir()) == before
    return checked


def rules_at(cohort, file, line):
    rejects = cohort.rejects
    here = rejects[(rejects["source_file"] == file) & (rejects["line"] == line)]
    return {(row.column, row.rule) for row in here.itertuples()}


def test_every_contradiction_is_listed_with_its_line(bad):
    cohort = bad.cohort
    people = {line: rules_at(cohort, "people.csv", line) for line in range(2, 9)}
    assert people[2] == set()
    assert {column for column, _ in people[3]} == {"fracture_date", "death_date"}
    assert {rule for _, rule in people[3]} == {
        "treatment before the fracture; the fracture date is set aside",
        "death before the last visit",
    }
    assert people[4] == {
        ("sex", "not among the codes"),
        ("fx", "no such date"),
        ("level", "not a level from T1 to L5"),
    }
    assert people[5] == {("arm", "not among the codes")}
    assert people[6] == {
        ("sex", "two records for one of patients disagree; the first value is kept")
    }
    assert people[7] == {("id", NO_PATIENT)}
    assert {rule for _, rule in people[8]} == {"more cells than the 8 headers"}


def test_scores_off_scale_duplicate_or_of_strangers_leave_with_a_reason(bad):
    rejects = bad.cohort.rejects
    vas = rejects[(rejects["source_file"] == "visits.csv") & (rejects["rule"] != "")]
    by_line = vas.groupby("line")["rule"].agg(list).to_dict()
    assert "repeats a record that is kept" in by_line[3]
    assert any("another score" in rule for rule in by_line[4])
    assert any("off the scale 0-10 of pain_vas" in rule for rule in by_line[5])
    assert "not a number" in by_line[7]
    assert any("patients table does not have" in rule for rule in by_line[8])
    contradiction = vas[vas["rule"].str.contains("contradict")]
    assert contradiction["line"].tolist() == list(range(2, 11))
    assert contradiction["column"].unique().tolist() == ["mm"]


def test_what_is_kept_is_right(bad):
    cohort = bad.cohort
    levels = cohort.frame("levels").groupby("patient_id")["level"].agg(list).to_dict()
    assert levels == {id_of("A"): ["L1", "L3"], id_of("B"): ["L1", "T11", "T12"]}
    scores = cohort.frame("scores").set_index(["patient_id", "day"])
    assert scores.loc[(id_of("A"), 0), "value"] == 8
    assert scores.loc[(id_of("A"), 89), "status"] == "not_asked"
    assert set(scores["instrument"]) == {"pain_vas"}
    episodes = cohort.frame("episodes").set_index("patient_id")
    assert episodes.loc[id_of("A"), ["fracture_day", "fracture_age_days"]].tolist() == [-22, 22]
    assert pd.isna(episodes.loc[id_of("B"), "fracture_day"])
    assert pd.isna(episodes.loc[id_of("D"), "treatment"])
    people = cohort.frame("patients").set_index("patient_id")
    assert people.loc[id_of("A"), ["sex", "age_years"]].tolist() == ["female", 79.0]
    assert people["death_day"].isna().all()


def test_rows_in_are_used_rejected_or_ignored(bad):
    accounts = bad.cohort.accounting.set_index("source_file")
    assert accounts.loc["people.csv"].tolist() == [7, 5, 2, 0]
    assert accounts.loc["visits.csv", "rows_in"] == 9
    gone = accounts["rows_rejected"] + accounts["rows_ignored"]
    assert (accounts["rows_in"] == accounts["rows_used"] + gone).all()


def test_the_check_groups_and_says_where(bad):
    text = str(bad)
    assert not bad.is_clean
    assert "people.csv, column arm: not among the codes: 1 cells, first lines 5" in text
    assert "Magic" not in text
    assert set(bad.problems.columns) >= {"source_file", "column", "rule", "count", "first_lines"}
    for identifier in ("'A'", "'B'", "'Z'"):
        assert identifier not in text


def test_normalise_writes_ledgers_and_skips_unchanged_inputs(bad_folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = normalise(bad_folder, out, key=KEY)
    names = {path.name for path in out.iterdir()}
    assert {"rejects.csv", "accounting.csv", "scores.parquet", "cohort.json"} <= names
    stamp = (out / "scores.parquet").stat().st_mtime_ns
    again = normalise(bad_folder, out, key=KEY)
    assert (out / "scores.parquet").stat().st_mtime_ns == stamp
    assert str(first) == str(again)


def test_pseudonyms_are_stable_under_a_key_and_differ_between_keys(monkeypatch, tmp_path):
    assert pseudonym("A", b"k") == pseudonym("A", b"k") != pseudonym("A", b"l")
    monkeypatch.delenv("VERTEBRO_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    sample = formats()["flat"].sample(tmp_path)
    one = load(sample)
    assert any("cannot be linked" in note for note in one.notes)
    monkeypatch.setenv("VERTEBRO_PSEUDONYM_KEY", "fixed")
    known = load(sample)
    assert pseudonym("N001", b"fixed") in known.frame("patients")["patient_id"].tolist()
    assert not any("cannot be linked" in note for note in known.notes)


def one_feed(**change):
    return {"feed": [{"source": "people.csv", "table": "patients", "columns": {}, **change}]}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (one_feed(table="persons"), "'persons'"),
        (one_feed(source="x.csv"), "people.csv"),
        (one_feed(columns={"patient_id": "pid"}), "'pid'"),
        (one_feed(columns={"patientid": "id"}), "patient_id"),
        ({"fed": []}, "did you mean feed"),
        ({"dates": "dd.mm.yy"}, "day_first"),
        (one_feed(columns={"patient_id": {"column": "id", "missing": {"-9": "lost"}}}), "'lost'"),
    ],
)  # fmt: skip
def test_mappings_that_cannot_be_meant_are_refused_whole(bad_folder, mapping, said):
    with pytest.raises(vo.LoadError, match=said):
        load(bad_folder, mapping=mapping)


def test_paths_and_formats_that_do_not_exist_are_refused(tmp_path):
    with pytest.raises(vo.LoadError, match="no such file"):
        load(tmp_path / "nothing.csv")
    with pytest.raises(vo.LoadError, match="no table in it"):
        load(tmp_path)
    with pytest.raises(vo.InputError, match="redcap"):
        load(tmp_path, format="excel")
    (tmp_path / "x.csv").write_text("colour,shape\nred,round\n")
    with pytest.raises(vo.LoadError, match="names the patient"):
        load(tmp_path)


def test_a_proposed_mapping_is_a_mapping_file(tmp_path):
    sample = formats()["flat"].sample(tmp_path)
    proposal = propose_mapping(sample)
    lines = proposal.to_frame()
    assert lines["sure"].between(0, 1).all()
    (tmp_path / "mapping.toml").write_text(str(proposal), encoding="utf-8")
    cohort = load(sample, key=KEY)
    assert sorted(cohort.frame("scores")["value"]) == [2, 3, 7, 8.5, 9, 18, 22.5, 41]
    assert not any("not by a mapping file" in note for note in cohort.notes)


def test_times_names_and_scales_are_told_apart(tmp_path):
    """EQ-5D holds no time; low values of a 0-100 scale are not read as 0-10."""
    (tmp_path / "a.csv").write_text(
        "Patient;Visit;EQ-5D;ODI\nP1;Baseline;0.3;60\nP1;3 months;0.7;30\nP2;Baseline;0.2;\n"
    )
    (tmp_path / "b.csv").write_text("id,pain_day_1,pain_day_30\n7,99,1\n8,88,2\n9,77,3\n10,66,4\n")
    first = load(tmp_path / "a.csv", key=KEY).frame("scores")
    assert first.groupby("instrument")["day"].agg(list).to_dict() == {
        "eq5d": [0, 91, 0] if first["patient_id"].iloc[0] == id_of("P1") else [0, 0, 91],
        "odi": [0, 91],
    }
    second = load(tmp_path / "b.csv", key=KEY).frame("scores")
    assert sorted(second.loc[second["day"] == 30, "value"]) == [0.1, 0.2, 0.3, 0.4]


def test_codes_nobody_understands_are_rejected_one_by_one(tmp_path):
    (tmp_path / "events.csv").write_text(
        "patient_id,event,day\n1,Cement leakage (disc),0\n1,Pneumonia,5\n2,Something else,9\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert sorted(cohort.frame("events")["type"]) == ["cement_leakage_disc", "pneumonia"]
    assert cohort.accounting[["rows_in", "rows_used", "rows_rejected"]].to_numpy().tolist() == [
        [3, 2, 1]
    ]
    assert cohort.rejects["line"].tolist() == [4]
