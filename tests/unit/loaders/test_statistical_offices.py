"""Files of SPSS, Stata and SAS from other offices, and databases of the older OMOP version."""

import datetime as dt

import pandas as pd
import pytest

from vertebro_outcomes.loaders.load import check, load
from vertebro_outcomes.loaders.pseudonyms import pseudonym

pyreadstat = pytest.importorskip("pyreadstat")
KEY = b"a key for tests"
DAYS = [dt.date(2019, 2, 4), dt.date(2019, 3, 4), dt.date(2019, 3, 18), None]


def of(cohort, table):
    return cohort.frame(table).set_index("patient_id")


def test_a_german_spss_file_with_labels_and_missing_ranges(tmp_path):
    frame = pd.DataFrame(
        {
            "PATNR": [101.0, 102.0, 103.0, 104.0], "GESCHL": [1.0, 2.0, 2.0, 9.0],
            "ALTER_OP": [78.0, 81.0, 69.0, 999.0], "VERFAHR": [1.0, 2.0, 3.0, 2.0], "OPDAT": DAYS,
            "VAS_PRE": [8.0, 9.0, 99.0, 7.0], "VAS_3M": [3.0, -9.0, 6.0, 2.0],
            "ODI12": [28.0, 99.0, 44.0, 30.0], "HOEHE": ["BWK12", "LWK1", "LWK3", "BWK11"],
            "RAUCHER": [0.0, 1.0, 8.0, 7.0],
        }
    )  # fmt: skip
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "register.sav"),
        column_labels=["Patientennummer", "Geschlecht", "Alter bei OP (Jahre)", "Verfahren", "Datum der OP",
                       "VAS präoperativ", "VAS nach 3 Monaten", "ODI nach 12 Monaten", "Wirbel", "Raucher"],
        variable_value_labels={
            "GESCHL": {1.0: "männlich", 2.0: "weiblich", 9.0: "keine Angabe"},
            "VERFAHR": {1.0: "Vertebroplastie", 2.0: "Kyphoplastie", 3.0: "konservativ"},
            "RAUCHER": {0.0: "nein", 1.0: "ja", 7.0: "ehemals", 8.0: "weiß nicht"},
        },
        missing_ranges={"GESCHL": [9.0], "VAS_PRE": [99.0], "VAS_3M": [{"lo": -9.0, "hi": -8.0}]},
    )  # fmt: skip
    cohort = load(tmp_path, key=KEY)
    ids = [pseudonym(str(n), KEY) for n in (101, 102, 103, 104)]
    patients = of(cohort, "patients").loc[ids]
    assert [None if pd.isna(sex) else sex for sex in patients["sex"]] == [
        "male",
        "female",
        "female",
        None,
    ]
    assert patients["age_years"].tolist()[:3] == [78, 81, 69]
    assert patients["age_years"].isna().tolist()[3]
    assert patients["smoker"].astype(object).tolist()[:2] == [False, True]
    assert not patients["smoker"].iloc[3]
    assert of(cohort, "episodes").loc[ids, "treatment"].tolist() == ["VP", "KP", "NSM", "KP"]
    scores = cohort.frame("scores")
    assert scores.loc[scores["instrument"] == "odi", "value"].tolist().count(99.0) == 1
    assert sorted(scores.loc[scores["status"] == "missing", "day"]) == [0, 91]
    assert cohort.rejects.empty
    assert cohort.unmapped.empty


def test_a_stata_file_with_letters_dates_and_a_column_named_female(tmp_path):
    frame = pd.DataFrame(
        {
            "pid": [1, 2, 3], "female": [1.0, 0.0, 1.0], "arm": [0.0, 1.0, 2.0], "dos": DAYS[:3],
            "vas_0": [80.0, 90.0, 70.0], "vas_90d": [30.0, "a", 60.0], "vas_365d": [20.0, "z", 50.0],
            "died": [0.0, 1.0, 0.0], "dod": [None, dt.date(2019, 11, 12), None],
        }
    )  # fmt: skip
    pyreadstat.write_dta(
        frame,
        str(tmp_path / "trial.dta"),
        column_labels=["Patient ID", "Female", "Treatment arm", "Date of surgery", "VAS at baseline, mm",
                       "VAS 90 days", "VAS 365 days", "Died", "Date of death"],
        variable_value_labels={"arm": {0: "Conservative", 1: "Vertebroplasty", 2: "Kyphoplasty"}},
        missing_user_values={"vas_90d": ["a"], "vas_365d": ["z"]},
    )  # fmt: skip
    cohort = load(tmp_path, key=KEY)
    two = pseudonym("2", KEY)
    assert of(cohort, "patients").loc[two, ["sex", "death_day"]].tolist() == ["male", 253]
    assert of(cohort, "episodes").loc[two, ["treatment", "treatment_day"]].tolist() == ["VP", 0]
    scores = cohort.frame("scores").query("patient_id == @two").set_index("day")
    assert scores["status"].to_dict() == {0: "observed", 90: "missing", 365: "dead"}
    assert scores.loc[0, ["value", "value_raw", "scale_raw"]].tolist() == [9.0, 90.0, "0-100"]
    assert cohort.rejects.empty
    assert cohort.unmapped["column"].tolist() == ["died"]


def test_transport_files_of_a_trial_without_a_mapping(tmp_path):
    people = pd.DataFrame(
        {
            "SUBJID": ["1", "2", "3"], "SITEID": ["A", "A", "B"], "SEX": ["F", "M", "F"],
            "AGE": [78.0, 81.0, 69.0], "DTHDTC": ["", "2019-11", ""],
            "TRT01A": ["Vertebroplasty", "Balloon Kyphoplasty", "Non-surgical management"],
            "TRTSDT": [DAYS[0], DAYS[1], None], "RFSTDTC": ["2019-02-04", "2019-03-04", "2019-03-18"],
        }
    )  # fmt: skip
    scores = pd.DataFrame(
        {
            "USUBJID": ["1", "1", "2", "3"], "PARAMCD": ["VAS", "VAS", "VAS", "ODI"],
            "AVAL": [80.0, 30.0, 90.0, 58.0], "AVISIT": ["Baseline", "Month 3", "Baseline", "Baseline"],
        }
    )  # fmt: skip
    times = pd.DataFrame({"USUBJID": ["1"], "PARAMCD": ["NEWFX"], "ADT": [DAYS[1]], "CNSR": [0.0]})
    for name, frame in (("adsl", people), ("adqs", scores), ("adtte", times)):
        pyreadstat.write_xport(
            frame, str(tmp_path / f"{name}.xpt"), table_name=name.upper(), file_format_version=5
        )
    report = check(tmp_path, key=KEY)
    cohort = report.cohort
    assert sorted(of(cohort, "episodes")["treatment"]) == ["KP", "NSM", "VP"]
    assert cohort.frame("scores")[["instrument", "day", "value"]].sort_values(
        ["instrument", "day", "value"]
    ).to_numpy().tolist() == [
        ["odi", 0, 58.0],
        ["pain_vas", 0, 8.0],
        ["pain_vas", 0, 9.0],
        ["pain_vas", 91, 3.0],
    ]
    assert cohort.rejects[["column", "found", "rule"]].to_numpy().tolist() == [
        ["DTHDTC", "9999-99", "a partial date"]
    ]
    assert "ignored: adtte.xpt, 1 rows: no column of this file is mapped" in str(report)
    assert "not mapped: adtte.xpt CNSR" in str(report)


def test_days_since_1960_are_said_and_not_taken_for_those_of_a_spreadsheet(tmp_path):
    path = tmp_path / "sas.csv"
    path.write_text("patient_id,treatment,op_date\n1,VP,21584\n2,KP,21612\n")
    cohort = load(path, key=KEY)
    assert cohort.frame("episodes")["index_year"].isna().all()
    (said,) = cohort.unmapped["reason"]
    assert said.startswith(
        "perhaps episodes.treatment_date: header; numbers that may count days since 1960"
    )
    assert "dates = ... in a mapping file" in said
    columns = {"patient_id": "patient_id", "treatment": "treatment"}
    columns |= {"treatment_date": {"column": "op_date", "dates": "since_1960"}}
    feeds = [
        {"source": "sas.csv", "table": "patients", "columns": {"patient_id": "patient_id"}},
        {"source": "sas.csv", "table": "episodes", "columns": columns},
    ]
    told = load(path, mapping={"feed": feeds}, key=KEY, keep_dates=True)
    dates = told.frame("episodes")["treatment_date"].astype(str).tolist()
    assert sorted(dates) == ["2019-02-04", "2019-03-04"]  # SAS: 04FEB2019 is day 21584


ERA = {
    "PERSON.csv": """\
PERSON_ID,GENDER_CONCEPT_ID,YEAR_OF_BIRTH,MONTH_OF_BIRTH,DAY_OF_BIRTH,LOCATION_ID,CARE_SITE_ID,GENDER_SOURCE_VALUE
1001,8532,1941,5,3,NULL,NULL,F
1002,8507,1938,NULL,NULL,NULL,12,M
1003,0,1945,1,NULL,NULL,12,U
1004,8532,1950,1,1,NULL,12,F
""",
    "CONDITION_ERA.csv": """\
CONDITION_ERA_ID,PERSON_ID,CONDITION_CONCEPT_ID,CONDITION_ERA_START_DATE,CONDITION_ERA_END_DATE
1,1001,4001458,2019-01-12,2019-03-01
2,1002,4001458,2019-02-20,2019-04-01
3,1003,4001459,2019-03-01,2019-06-01
4,1001,4001458,2019-10-01,2019-12-01
""",
    "PROCEDURE_OCCURRENCE.csv": """\
PROCEDURE_OCCURRENCE_ID,PERSON_ID,PROCEDURE_CONCEPT_ID,PROCEDURE_DATE,QUALIFIER_SOURCE_VALUE,PROCEDURE_SOURCE_VALUE
1,1001,0,2019-02-04,NULL,22513
2,1002,0,2019-03-04,NULL,22511
""",
    "MEASUREMENT.csv": """\
MEASUREMENT_ID,PERSON_ID,MEASUREMENT_CONCEPT_ID,MEASUREMENT_DATE,VALUE_AS_NUMBER,MEASUREMENT_SOURCE_VALUE
1,1001,43055141,2019-02-03,8.0,NULL
2,1001,43055141,2019-05-06,NULL,NULL
""",
    "CONCEPT.csv": """\
CONCEPT_ID\tCONCEPT_NAME\tDOMAIN_ID\tVOCABULARY_ID\tCONCEPT_CLASS_ID\tSTANDARD_CONCEPT\tCONCEPT_CODE
4001457\t"Z" plasty of skin\tProcedure\tSNOMED\tProcedure\tS\t122
4001458\tCompression fracture of lumbar vertebra\tCondition\tSNOMED\tFinding\tS\t123
4001459\t"Crush\tCondition\tSNOMED\tFinding\tS\tS32.010A
4001460\t6" nail\tDevice\tSNOMED\tFinding\tS\t125
""",
}


def test_an_old_database_with_eras_for_diagnoses_and_words_for_nothing(tmp_path):
    for name, text in ERA.items():
        (tmp_path / name).write_text(text)
    cohort = load(tmp_path, key=KEY)
    episodes = of(cohort, "episodes")
    ids = [pseudonym(str(n), KEY) for n in (1001, 1002, 1003)]
    assert episodes.loc[ids, "treatment"].tolist() == ["KP", "VP", "NSM"]
    assert episodes.loc[ids, "fracture_day"].tolist() == [-23, -12, 0]
    assert cohort.frame("fractures")["day"].tolist() == [239]
    sites = of(cohort, "patients").loc[ids, "site"]
    assert sites.isna().tolist() == [True, False, False]
    assert sites.iloc[1] == "12"
    accounts = cohort.accounting.set_index("source_file")
    assert accounts.loc["CONDITION_ERA.csv", ["rows_in", "rows_used"]].tolist() == [4, 4]
    assert accounts.loc["CONCEPT.csv", "rows_in"] == 4
    assert any("CONDITION_ERA.csv stands in for the diagnoses" in note for note in cohort.notes)
    assert cohort.rejects.empty
