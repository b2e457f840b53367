"""OMOP records as sites write them: values in words, deaths elsewhere, ids, dates, parts of tables."""

import ibis
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.omop_tables import iso_day, table_name
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.registries.omop import FORMAT
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"a key for tests"
TABLES = {
    "person": """\
person_id,gender_concept_id,gender_source_value,year_of_birth,birth_datetime
1.0,0,F,1940,
2.0,8507,F,,1941-02-03 00:00:00
3.0,8532,,1940,
4.0,8532,,1940,
""",
    "condition_occurrence": """\
condition_occurrence_id,person_id,condition_start_date,condition_source_value,condition_concept_id
1,1,20190101,S32.010A,0
2,2,2019/1/1,S32.010A,0
3,3,2019-01-01 00:00:00,S32.010A,0
4,4,2019-01-01,S32.010A,0
5,3,2019-08-01,Death,0
6,9,2019-08-01,Death,0
""",
    "visit_occurrence": """\
visit_occurrence_id,person_id,visit_start_date,visit_end_date,discharged_to_concept_id
1,4,2019-01-10,2019-01-20,700
2,1,2019-01-10,2019-01-20,0
""",
    "death": "person_id,death_date,death_datetime\n1,20200101,\n2,NULL,2020-02-01 10:00:00\n",
    "measurement": """\
measurement_id,person_id,measurement_date,measurement_source_value,value_as_number,value_as_concept_id,value_source_value
1,1,2019-01-02,72514-3,,701,
2,2,2019-01-02,72514-3,,702,
3,3,2019-01-02,72514-3,,,6
4,4,2019-01-02,72514-3,,,
""",
    "observation": """\
observation_id,person_id,observation_date,observation_source_value,value_as_number,value_as_string
1,1,2019-02-01,72514-3,,4
""",
    "concept": """\
concept_id,concept_name,domain_id,concept_code
700,Patient died,Observation,a
701,7,Meas Value,b
702,Severe,Meas Value,c
""",
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cdm")
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return load(folder, key=KEY)


def _by_person(cohort, table, column):
    people = {pseudonym(str(n), KEY): n for n in range(1, 5)}
    frame = cohort.frame(table)
    return [
        (people[who], said) for who, said in zip(frame["patient_id"], frame[column], strict=True)
    ]


def test_ids_dates_sex_and_birth_as_sources_write_them(cohort):
    assert sorted(_by_person(cohort, "patients", "sex")) == [
        (1, "female"), (2, "male"), (3, "female"), (4, "female"),
    ]  # fmt: skip
    assert (2, 77) in _by_person(cohort, "patients", "age_years")
    assert len(_by_person(cohort, "episodes", "treatment")) == 4


def test_deaths_in_diagnoses_and_discharges(cohort):
    assert sorted(_by_person(cohort, "patients", "death_day")) == [
        (1, 365), (2, 396), (3, 212), (4, 19),
    ]  # fmt: skip


def test_values_in_words_are_read_or_listed_and_never_said_to_be_missing(cohort):
    told = {(who, v) for who, v in _by_person(cohort, "scores", "value") if v == v}
    assert told == {(1, 7.0), (1, 4.0), (3, 6.0)}
    assert (4, "missing") in _by_person(cohort, "scores", "status")
    listed = cohort.rejects[["source_file", "line", "column"]].to_numpy().tolist()
    assert listed == [["measurement.csv", 3, "value_as_number"]]


def test_parts_of_a_table_are_refused_and_named(tmp_path):
    folder = FORMAT.sample(tmp_path)
    part = folder / "measurement.csv"
    (folder / "measurement_2.csv").write_bytes(part.read_bytes())
    for site in ("a", "b"):
        (folder / site).mkdir()
        (folder / site / "death.csv").write_text("person_id,death_date\n", encoding="utf-8")
    with pytest.raises(vo.LoadError) as caught:
        load(folder)
    found = [problem.found for problem in caught.value.problems]
    assert found == ["3 files hold the table death", "2 files hold the table measurement"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("measurement_2.csv", "measurement"), ("person000000000001.csv", "person"),
        ("person/part-00000-1f.csv", "person"), ("condition_occurrence_2018.csv.gz", "condition_occurrence"),
        ("visits_2018.csv", None),
    ],
)  # fmt: skip
def test_names_of_parts(tmp_path, name, table):
    assert table_name(tmp_path / name) == table


def test_days_are_read_from_every_date_that_begins_with_the_year():
    texts = [
        "2019-03-01",
        "2019/3/1",
        "20190301",
        "2019-03-01T10:00:00Z",
        "NULL",
        "03/01/2019",
        None,
    ]
    column = ibis.memtable(pd.DataFrame({"text": texts})).text
    found = embedded_engine().execute(iso_day(column).name("day")).tolist()
    assert found[:4] == ["2019-03-01"] * 4
    assert found[4] is None
    assert found[5] == "03/01/2019"


def test_eras_of_diagnoses_are_found_in_a_database():
    backend = embedded_engine()
    backend.con.execute("CREATE TABLE person AS SELECT 1 person_id, 1940 year_of_birth")
    backend.con.execute(
        "CREATE TABLE condition_era AS SELECT 1 condition_era_id, 1 person_id,"
        " 2000000100 condition_concept_id, DATE '2019-01-01' condition_era_start_date"
    )
    cohort = load(backend, key=KEY, mapping={"codes": {"fractures": ["2000000100"]}})
    assert cohort.frame("episodes")["treatment"].tolist() == ["NSM"]
