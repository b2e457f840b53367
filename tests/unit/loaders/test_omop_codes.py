"""OMOP codes as sites write them, names of concepts that are none, later visits, vertebrae, time in view."""

import ibis
import pandas as pd
import pytest

from vertebro_outcomes.loaders.codes import code_sets
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.omop_codes import concepts_of, fractures_in
from vertebro_outcomes.loaders.omop_unread import is_near, near_words
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"a key for tests"
CONDITIONS = (
    # person, day, source code, concept
    (1, "2019-03-01", "S32.010A - Wedge compression fracture", 0),
    (1, "2019-03-01", "S32.030A", 0),
    (2, "2019-03-01", "ICD10CM:S32.020A", 0),
    (3, "2019-03-01", "S32.010A", 0),
    (4, "2019-03-01", "S32.010A", 0),  # later visits of the same fracture begin none
    (4, "2019-08-01", "S32.010D", 0),
    (4, "2020-03-01", "M80.08XS", 0),
    (4, "2020-09-01", "", 902),
    (5, "2019-03-01", "M80.08XD", 0),
    (6, "2019-03-01", "", 901),
    (7, "2019-03-01", "", 903),
    (8, "2019-03-01", "", 904),
    (9, "2019-03-01", "", 905),
    (10, "2019-03-01", "S32.01", 0),
    (11, "2019-03-01", "S32.010A", 0),
)
PROCEDURES = (
    (1, "2019-03-11", "22514-50"),
    (1, "2019-03-11", "22515:59"),
    (2, "2019-03-11", "CPT4|22511"),
    (3, "2019-03-11", "5-839.a0"),
    (11, "2019-03-11", "22511"),
    (11, "2019-03-11", "22512"),
    (11, "2019-03-11", "22514"),
)
NAMES = (
    (901, "Compression fracture of lumbar spine"),
    (902, "Sequela of fracture of vertebra"),
    (903, "Fracture of anterior superior iliac spine"),
    (904, "History of fracture of vertebra"),
    (905, "Pathological fracture of vertebra due to metastasis"),
)
PERIODS = (
    (1, "2010-01-01", "2019-12-31"), (1, "2021-01-01", "2022-12-31"),
    (2, "2019-07-01", "2020-06-30"), (2, "2010-01-01", "2019-06-30"),
    (3, "2010-01-01", "2099-12-31"),
)  # fmt: skip


def _table(folder, name, header, rows):
    lines = [",".join(map(str, (i, *row))) for i, row in enumerate(rows, 1)]
    (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinic")
    people = [(8532, 1940) for _ in range(11)]
    _table(folder, "person", "person_id,gender_concept_id,year_of_birth", people)
    head = "row,person_id,condition_start_date,condition_source_value,condition_concept_id"
    _table(folder, "condition_occurrence", head, CONDITIONS)
    head = "procedure_occurrence_id,person_id,procedure_date,procedure_source_value"
    _table(folder, "procedure_occurrence", head, PROCEDURES)
    head = (
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date"
    )
    _table(folder, "observation_period", head, PERIODS)
    head = "row,concept_id,concept_name,domain_id,concept_code"
    named = [(number, name, "Condition", f"x{number}") for number, name in NAMES]
    _table(folder, "concept", head, named)
    return load(folder, key=KEY)


def _of(cohort, table, person):
    frame = cohort.frame(table)
    return frame[frame["patient_id"] == pseudonym(str(person), KEY)]


def test_modifiers_descriptions_and_vocabularies_beside_a_code(cohort):
    found = {n: _of(cohort, "episodes", n)["treatment"].tolist() for n in range(1, 12)}
    assert found == {
        1: ["KP"], 2: ["VP"], 3: ["KP"], 4: ["NSM"], 5: [], 6: ["NSM"], 7: [], 8: [], 9: [], 10: [],
        11: ["KP"],
    }  # fmt: skip


def test_later_visits_and_sequelae_begin_no_fracture(cohort):
    assert _of(cohort, "fractures", 4).empty
    assert sum("1 person has diagnoses of a vertebral fracture at later" in n for n in cohort.notes)


def test_every_diagnosis_of_the_fracture_names_a_vertebra(cohort):
    assert _of(cohort, "levels", 1)["level"].tolist() == ["L1", "L3"]
    counts = [_of(cohort, "episodes", n)["n_levels"].tolist()[0] for n in (1, 2, 11)]
    assert counts[:2] == [2, 1]
    assert pd.isna(counts[2])  # more procedures than named vertebrae: it is not known
    assert sum("codes of VP and of KP on the day" in note for note in cohort.notes) == 1


def test_time_in_view_ends_with_the_period_of_day_0(cohort):
    ends = [_of(cohort, "episodes", n)["followup_end_day"].tolist() for n in (1, 2)]
    assert ends == [[295], [477]]  # 2019-12-31; two periods without a day between them are one
    assert sum("1 person is in view again after a gap" in note for note in cohort.notes) == 1
    assert _of(cohort, "episodes", 3)["followup_end_day"].isna().all()  # not 80 years on
    rules = cohort.rejects.query("column == 'observation_period_end_date'")["rule"].tolist()
    assert rules == ["stands for an open end"]


def test_codes_near_listed_ones_are_named(cohort):
    near = [note for note in cohort.notes if "codes near listed ones are not read" in note]
    assert len(near) == 1
    assert "S32.01 (few rows)" in near[0]
    codes = code_sets()
    known = near_words({*codes.procedures, *codes.fractures, *codes.follow_ups})
    texts = (
        "22514A",
        "x 22514-1",
        "2251",
        "22519",
        "99213",
        "0QU03J",
        "S32.010B",
        "S32.0",
        "M54.5",
    )
    assert [text for text in texts if is_near(text, known)] == [
        "22514A", "x 22514-1", "0QU03J", "S32.010B", "S32.0",
    ]  # fmt: skip


def test_ids_of_concepts_in_the_codes_of_a_mapping_are_fractures_too():
    rows = {"condition_source_value": ["x", ""], "condition_concept_id": ["2000000100", "7"]}
    codes = code_sets({"fractures": ["2000000100"]})
    nothing = concepts_of(None, codes)
    found = fractures_in(embedded_engine(), ibis.memtable(pd.DataFrame(rows)), codes, nothing)
    assert found[2].to_pyarrow().to_pylist() == [True, False]
