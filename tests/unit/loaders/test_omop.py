"""OMOP CDM: cohort entry by codes, clean window, ids of 64 bits, tables in any shape."""

import ibis
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.codes import code_sets, plain_code
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.registries.omop import FORMAT, table_name

KEY = b"a key for tests"
LOW, HIGH = "-9007199254740993", "-9007199254740992"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return load(FORMAT.sample(tmp_path_factory.mktemp("cdm")), key=KEY)


def test_ids_that_floats_confuse_stay_apart_and_only_members_enter(cohort):
    patients = cohort.frame("patients").set_index("patient_id")
    assert set(patients.index) == {pseudonym(LOW, KEY), pseudonym(HIGH, KEY)}
    assert patients.loc[pseudonym(LOW, KEY), ["sex", "site"]].tolist() == ["female", "7"]
    assert (
        patients.loc[pseudonym(LOW, KEY), "age_years"] == 71
    )  # born 15 of Feb 2041 at the latest guess
    assert patients.loc[pseudonym(HIGH, KEY), "death_day"] == 394


def test_treated_and_untreated_episodes(cohort):
    episodes = cohort.frame("episodes").set_index("patient_id")
    treated, other = episodes.loc[pseudonym(LOW, KEY)], episodes.loc[pseudonym(HIGH, KEY)]
    assert treated[["treatment", "day0", "fracture_day", "n_levels"]].tolist() == [
        "KP",
        "treatment",
        -14,
        1,
    ]
    assert other[["treatment", "day0", "fracture_day"]].tolist() == ["NSM", "fracture", 0]
    assert treated["followup_end_day"] == 698
    assert other["followup_end_day"] == 394  # death comes before the end of observation


def test_a_new_fracture_needs_a_clean_window(cohort):
    fractures = cohort.frame("fractures")
    assert fractures[["patient_id", "day"]].to_numpy().tolist() == [[pseudonym(LOW, KEY), 211]]
    assert cohort.frame("levels")["level"].tolist() == ["L1"]


def test_scores_from_measurements(cohort):
    scores = cohort.frame("scores")
    assert scores[["instrument", "day", "value"]].to_numpy().tolist() == [
        ["pain_nrs", -2, 9.0],
        ["pain_nrs", 31, 2.0],
    ]
    assert cohort.rejects["rule"].tolist() == ["off the scale 0-10 of pain_nrs"]


def test_every_table_is_accounted_for(cohort):
    accounts = cohort.accounting.set_index("source_file")
    expected = {
        "PERSON.csv": [3, 2, 0, 1],
        "condition_occurrence.csv": [5, 3, 0, 2],
        "measurement.csv": [4, 2, 1, 1],
        "note.csv": [0, 0, 0, 0],
    }
    assert {name: accounts.loc[name].tolist() for name in expected} == expected


def test_concepts_parquet_stray_blanks_and_own_codes(tmp_path):
    people = pd.DataFrame({"person_id": [-(2**62), 7], "year_of_birth": [1940, 1941]})
    people.to_parquet(tmp_path / "Person.parquet")
    (tmp_path / "2B_CONCEPT.csv").write_text(
        "concept_id,concept_name,domain_id,vocabulary_id,concept_code\n"
        "100001,Percutaneous vertebroplasty of spine,Procedure,X,ABC\n"
        "100002,Compression fracture of lumbar vertebra,Condition,X,DEF\n"
    )
    (tmp_path / "procedure_occurrence.csv").write_text(
        "PROCEDURE_OCCURRENCE_ID,PERSON_ID,PROCEDURE_CONCEPT_ID,procedure_date ,PROCEDURE_SOURCE_VALUE\n"
        f"1,{-(2**62)},100001,2019-02-03,\n2,{-(2**62)},100001,2019-05-03,\n3,7,5,2019-02-03,own-1 \n"
    )
    (tmp_path / "condition_occurrence.csv").write_text(
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value\n"
        f"1,{-(2**62)},100002,20190110,\n"
    )
    cohort = load(tmp_path, key=KEY)
    episodes = cohort.frame("episodes").set_index("patient_id")
    assert episodes.loc[pseudonym(str(-(2**62)), KEY), ["treatment", "fracture_day"]].tolist() == [
        "VP",
        -24,
    ]
    assert len(episodes) == 1
    own = {"codes": {"procedures": {"OWN1": "KP"}}}
    again = load(tmp_path, mapping=own, key=KEY).frame("episodes").set_index("patient_id")
    assert again.loc[pseudonym("7", KEY), "treatment"] == "KP"


def test_a_database_without_such_patients_is_an_empty_cohort(tmp_path):
    (tmp_path / "person.csv").write_text("person_id,year_of_birth\n1,1950\n2,1951\n")
    (tmp_path / "condition_occurrence.csv").write_text(
        "condition_occurrence_id,person_id,condition_start_date,condition_source_value\n1,1,2019-01-01,J20\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert cohort.frame("patients").empty
    assert cohort.accounting[["rows_in", "rows_ignored"]].to_numpy().tolist() == [[1, 1], [2, 2]]
    assert any("nobody entered" in note for note in cohort.notes)


def test_what_is_no_cdm_is_said(tmp_path):
    (tmp_path / "person.csv").write_text("id,born\n1,1950\n")
    (tmp_path / "condition_occurrence.csv").write_text("person_id\n1\n")
    with pytest.raises(vo.LoadError) as caught:
        load(tmp_path, format="omop")
    assert {"person.csv", "condition_occurrence.csv"} == {p.where for p in caught.value.problems}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("PERSON.csv", "person"), ("2b_concept.csv", "concept"),
        ("x_visit_occurrence.csv", "visit_occurrence"),
        ("condition_era.csv", "condition_era"), ("patients.csv", None),
    ],
)  # fmt: skip
def test_names_of_tables(tmp_path, name, table):
    assert table_name(tmp_path / name) == table


def test_the_shipped_codes_and_their_replacement(tmp_path):
    codes = code_sets()
    assert codes.procedures[plain_code("22511")] == "VP"
    assert codes.procedures[plain_code("22514")] == "KP"
    assert plain_code("M80.08XA") in codes.fractures
    assert plain_code("733.00") not in codes.fractures  # osteoporosis alone is no fracture
    with pytest.raises(vo.LoadError, match="'XX'"):
        code_sets({"procedures": {"1": "XX"}})
    (tmp_path / "c.csv").write_text("code,treatment_or_condition\nZZ-1,KP\n")
    assert code_sets(tmp_path / "c.csv").procedures == {"ZZ1": "KP"}


def test_a_database_and_a_zip_give_the_same_cohort(cohort, tmp_path):
    import zipfile

    from vertebro_outcomes.tables.engine import embedded_engine, quiet

    folder = tmp_path / "cdm"
    folder.mkdir()
    FORMAT.sample(folder)
    backend = embedded_engine()
    with zipfile.ZipFile(tmp_path / "cdm.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"export/{file.name}")
            archive.writestr(f"__MACOSX/{file.name}", "x")
            name = file.stem.upper() if file.stem == "person" else file.stem.lower()
            table = ibis.memtable(pd.read_csv(file, skipinitialspace=True))
            if file.stem != "note":
                with quiet():
                    backend.create_table(name, table)
    zipped = load(tmp_path / "cdm.zip", key=KEY)
    stored = load(backend, key=KEY)
    for name in ("patients", "episodes", "levels", "scores", "fractures"):
        pd.testing.assert_frame_equal(zipped.frame(name), cohort.frame(name))
        pd.testing.assert_frame_equal(stored.frame(name), cohort.frame(name))
    assert set(zipped.inputs) - {"asked", "program", "pseudonyms"} == {"cdm.zip"}


def test_a_broken_zip_is_said(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(vo.LoadError, match="zip"):
        load(tmp_path / "x.zip")


def test_two_fractures_before_one_procedure_are_said(tmp_path):
    folder = FORMAT.sample(tmp_path)
    with (folder / "condition_occurrence.csv").open("a", encoding="utf-8") as file:
        file.write(f"6,{LOW},0,2111-08-01,S22.080A\n7,{LOW},0,2109-08-01,S22.070A\n")
    cohort = load(folder, key=KEY)
    assert cohort.frame("levels")["level"].tolist() == ["L1"]
    assert (
        cohort.frame("episodes").set_index("patient_id").loc[pseudonym(LOW, KEY), "fracture_day"]
        == -14
    )
    assert sum("1 person has several fractures" in note for note in cohort.notes) == 1
