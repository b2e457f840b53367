"""Several files that each tell a part of an episode: diagnosis here, operation there, scores elsewhere."""

import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.proposed_episodes import tells_parts, without_bare_lists
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.registries.flat import PEOPLE_ALONE
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"parts"
DIAGNOSES = """\
patient_id,fracture_date,presentation_date,level
1,2019-01-20,2019-01-25,T12
2,2019-01-10,2019-02-01,L1
3,2019-05-10,2019-05-12,L2
"""
OPERATIONS = """\
patient_id,treatment,procedure_date,cement_ml
1,KP,2019-02-03,4
2,VP,2019-02-11,5
"""
VISITS = "patient_id,visit_date,vas\n1,2019-02-03,8\n1,2019-05-03,3\n3,2019-05-12,9\n"
NAMES = {pseudonym(str(n), KEY): n for n in range(1, 5)}


def rows_of(cohort, table, *columns):
    """{(identifier as written, cells)}, blanks as None."""
    return {
        (NAMES[row.patient_id], *(None if str(v) in ("nan", "<NA>", "None") else v for v in
                                  (getattr(row, c) for c in columns)))
        for row in cohort.frame(table).itertuples()
    }  # fmt: skip


def test_diagnosis_and_operation_in_two_files_are_one_episode(tmp_path):
    for name, text in {"diag": DIAGNOSES, "surgery": OPERATIONS, "visits": VISITS}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    cohort = load(tmp_path, key=KEY)
    told = rows_of(cohort, "episodes", "treatment", "day0", "fracture_age_days", "cement_ml")
    assert told == {
        (1, "KP", "treatment", 14, 4), (2, "VP", "treatment", 32, 5), (3, None, "presentation", 2, None),
    }  # fmt: skip
    assert rows_of(cohort, "scores", "day", "value") == {(1, 0, 8), (1, 89, 3), (3, 0, 9)}
    assert rows_of(cohort, "levels", "level") == {(1, "T12"), (2, "L1"), (3, "L2")}
    assert cohort.rejects.empty
    assert len(cohort.frame("patients")) == 3  # who was not operated on is a patient too


@pytest.mark.slow
def test_the_mapping_says_that_parts_are_one_episode(tmp_path):
    (tmp_path / "diag.csv").write_text(DIAGNOSES)
    (tmp_path / "surgery.csv").write_text(OPERATIONS)
    proposed = propose_mapping(tmp_path)
    assert 'episodes = "single"' in str(proposed)
    (tmp_path / "mapping.toml").write_text(str(proposed))
    told = rows_of(load(tmp_path, key=KEY), "episodes", "treatment", "fracture_age_days")
    assert told == {(1, "KP", 14), (2, "VP", 32), (3, None, 2)}
    (tmp_path / "mapping.toml").unlink()
    (tmp_path / "surgery.csv").write_text(OPERATIONS + "1,VP,2020-03-04,3\n")  # treated again
    assert "episodes" not in propose_mapping(tmp_path).content


def feed(source, *columns, table="episodes"):
    return {"source": source, "table": table, "columns": {c: {"column": c} for c in columns}}


def test_what_are_parts_of_one_episode():
    engine = embedded_engine()
    sources = [
        source_from_rows(
            engine, name, header=["patient_id"], rows=[[x] for x in ids], lines=[*range(len(ids))]
        )
        for name, ids in {"a": "123", "b": "12", "c": "112"}.items()
    ]  # fmt: skip
    diagnosis = feed("a", "patient_id", "fracture_date")
    operation = feed("b", "patient_id", "treatment", "treatment_date")
    assert tells_parts(sources, [diagnosis, operation])
    assert not tells_parts(sources, [diagnosis])
    assert not tells_parts(sources, [diagnosis, {**operation, "source": "c"}])  # treated twice
    assert not tells_parts(sources, [operation, feed("a", "patient_id", "treatment_date")])
    assert not tells_parts(sources, [operation, feed("a", "patient_id", "episode_id")])


def test_a_list_of_numbers_alone_does_not_say_who_is_in_the_registry():
    bare = feed("b", "patient_id", table="patients")
    operation, other = feed("b", "patient_id", "treatment"), feed("a", "patient_id", "day")
    whole = feed("a", "patient_id", "sex", table="patients")
    assert without_bare_lists([bare, operation, other]) == [operation, other]
    assert without_bare_lists([bare, operation]) == [bare, operation]  # nobody else tells of people
    assert without_bare_lists([bare, other]) == [bare, other]  # the file holds nothing else
    assert without_bare_lists([bare, operation, whole]) == [bare, operation, whole]


@pytest.mark.slow
def test_a_file_of_new_fractures_makes_no_episodes(tmp_path):
    (tmp_path / "surgery.csv").write_text(OPERATIONS)
    (tmp_path / "newfx.csv").write_text(
        "patient_id,FXLEVEL,FXDATE\n1,T11,2019-08-02\n1,L1,2019-09-02\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert rows_of(cohort, "episodes", "treatment") == {(1, "KP"), (2, "VP")}
    assert len(cohort.frame("episodes")) == 2
    assert rows_of(cohort, "fractures", "level", "day") == {(1, "T11", 180), (1, "L1", 211)}
    assert cohort.frame("levels").empty


def test_a_file_of_index_fractures_tells_index_levels(tmp_path):
    (tmp_path / "fractures.csv").write_text("patient_id,fracture_date,level\n1,2019-01-20,T12\n")
    (tmp_path / "surgery.csv").write_text(OPERATIONS)
    lines = propose_mapping(tmp_path).lines
    found = {(line.column, line.table, line.target) for line in lines}
    assert {("fracture_date", "episodes", "fracture_date"), ("level", "levels", "level")} <= found


FIELDS = """\
field_name,form_name,field_type,field_label,select_choices_or_calculations
record_id,base,text,Record ID,
sex,base,radio,Sex,"1, Female | 2, Male"
proc_date,procedure,text,Date of procedure,
proc,procedure,radio,Procedure,"1, Vertebroplasty | 2, Kyphoplasty"
visit_date,fu,text,Visit date,
vas,fu,text,VAS back pain,
"""
RECORDS = """\
record_id,redcap_repeat_instrument,redcap_repeat_instance,sex,base_complete,proc_date,proc,procedure_complete,\
visit_date,vas,fu_complete
1,,,1,2,,,,,,
1,procedure,1,,,2019-02-03,1,2,,,
1,procedure,2,,,2020-06-01,2,2,,,
1,fu,1,,,,,,2019-02-03,8,2
1,fu,2,,,,,,2020-05-30,9,2
1,fu,3,,,,,,2020-09-01,2,2
2,,,2,2,,,,,,
2,procedure,1,,,2019-03-03,2,2,,,
"""


@pytest.mark.slow
@pytest.mark.parametrize("apart", [False, True])
def test_a_form_of_treatment_that_is_filled_in_again_is_another_episode(tmp_path, apart):
    records = RECORDS.replace("1,procedure,2,,,2020", "1,,,,,2020") if apart else RECORDS
    (tmp_path / "p_DATA.csv").write_text(records)
    (tmp_path / "p_DataDictionary.csv").write_text(FIELDS)
    proposed = propose_mapping(tmp_path)
    cohort = load(tmp_path, key=KEY)
    if apart:  # not on a form that may be repeated
        assert "episodes" not in proposed.content
        assert set(cohort.rejects["line"]) == {4}
        return
    assert 'episodes = "several"' in str(proposed)
    assert cohort.rejects.empty
    told = rows_of(cohort, "episodes", "treatment", "index_year")
    assert told == {(1, "VP", 2019), (1, "KP", 2020), (2, "KP", 2019)}
    assert rows_of(cohort, "scores", "day", "value") == {(1, 0, 8), (1, -2, 9), (1, 92, 2)}


def test_the_level_beside_a_treatment_is_not_that_of_a_complication(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "patient_id,treatment,procedure_date,Level(s) treated,vas_3m,complication,complication date\n"
        '1,KP,2019-02-03,"T12, L1",3,fever,2019-02-05\n2,VP,2019-02-03,L2,2,,\n'
    )
    lines = {line.column: (line.table, line.target) for line in propose_mapping(path).lines}
    assert lines["Level(s) treated"] == ("levels", "level")
    path.write_text("patient_id,level,complication,date\n1,T12,cement leakage,2019-02-05\n")
    lines = {line.column: (line.table, line.target) for line in propose_mapping(path).lines}
    assert lines["level"] == ("events", "level")


def test_people_alone_are_loaded_and_it_is_said_what_is_missing(tmp_path):
    (tmp_path / "list.csv").write_text("MRN,Age,Gender\n1,70,Female\n2,80,Male\n")
    cohort = load(tmp_path, key=KEY)
    assert sorted(cohort.frame("patients")["age_years"]) == [70, 80]
    assert PEOPLE_ALONE in cohort.notes
    assert cohort.accounting.iloc[0, 1:].tolist() == [2, 2, 0, 0]


def test_a_table_of_which_only_the_patients_are_understood_is_not_said_to_lack_them(tmp_path):
    (tmp_path / "l.csv").write_text("patient_id,level,cement_ml\n1,L9,4\n2,L8,3\n")
    with pytest.raises(LoadError, match="beside the patients a column that is understood"):
        load(tmp_path, key=KEY)
