"""Traps of files as registries hand them out, each in the smallest file that holds it.

Traps with tests of their own stand in `test_reading_files` (dialects, encodings, title rows, blanks,
repeated headers, footers, statistical files), `test_cells` (numbers, dates, codes), `test_redcap`
and `test_omop`.
"""

import gzip
import zipfile

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.registries.omop import SAMPLE

pyreadstat = pytest.importorskip("pyreadstat")

PEOPLE = {
    "feed": [
        {
            "source": "*",
            "table": "patients",
            "columns": {"patient_id": "id", "bmi": "bmi"},
        }
    ]
}


def bmi_of(path, mapping=PEOPLE):
    cohort = load(path, mapping=mapping)
    return sorted(cohort.frame("patients")["bmi"].dropna()), cohort


def test_missing_ranges_of_spss_are_missing_unless_the_mapping_says_why(tmp_path):
    path = tmp_path / "t.sav"
    frame = pd.DataFrame({"id": list("abcd"), "bmi": [25.5, -8.0, -9.0, 99.0]})
    ranges = {"bmi": [{"lo": -9.0, "hi": -8.0}, 99.0]}
    pyreadstat.write_sav(frame, str(path), missing_ranges=ranges)
    values, cohort = bmi_of(path)
    assert values == [25.5]
    assert cohort.rejects.empty
    told = {"column": "bmi", "missing": {"-8": "not_asked"}}
    columns = {"patient_id": "id", "bmi": told}
    cohort = load(path, mapping={"feed": [{**PEOPLE["feed"][0], "columns": columns}]})
    reasons = cohort.frame("absences")["reason"].value_counts().to_dict()
    assert reasons == {"not_asked": 1, "missing": 2}


def test_letters_of_stata_are_missing_unless_the_mapping_says_why(tmp_path):
    path = tmp_path / "t.dta"
    frame = pd.DataFrame({"id": list("abc"), "bmi": [25.5, "a", "z"]})
    pyreadstat.write_dta(frame, str(path), missing_user_values={"bmi": ["a", "z"]})
    values, cohort = bmi_of(path)
    assert values == [25.5]
    assert cohort.rejects.empty
    assert set(cohort.frame("absences")["reason"]) == {"missing"}


def test_transport_files_of_trials(tmp_path):
    """Upper-case names, partial ISO dates that are not rounded, CNSR 0 is the event."""
    people = pd.DataFrame(
        {
            "USUBJID": ["S-1", "S-2", "S-3"],
            "TRT01A": ["VP", "NSM", "VP"],
            "RFSTDTC": ["2014-07-03", "2014-07", "2014-07-05T10:15"],
        }
    )
    events = pd.DataFrame(
        {"USUBJID": ["S-1", "S-3"], "ADT": ["2014-09-01", "2014-10-01"], "CNSR": [0.0, 1.0]}
    )
    for name, frame in (("adsl", people), ("adtte", events)):
        pyreadstat.write_xport(
            frame, str(tmp_path / f"{name}.xpt"), table_name=name.upper(), file_format_version=5
        )
    keys = {"patient_id": "USUBJID"}
    mapping = {
        "feed": [
            {"source": "adsl.xpt", "table": "patients", "columns": keys},
            {
                "source": "adsl.xpt",
                "table": "episodes",
                "columns": {**keys, "treatment": "TRT01A", "enrolment_date": "RFSTDTC"},
            },
            {
                "source": "adtte.xpt",
                "table": "fractures",
                "where": {"CNSR": "0"},
                "columns": {**keys, "date": "ADT"},
            },
        ]
    }
    cohort = load(tmp_path, mapping=mapping)
    assert cohort.frame("fractures")["day"].tolist() == [60]
    assert cohort.rejects[["line", "column", "found", "rule"]].to_numpy().tolist() == [
        [2, "RFSTDTC", "9999-99", "a partial date"]
    ]
    assert any("catalogue" in note for note in cohort.notes)


WILD = (
    "Register Wirbelbruch;;;;\r\n;;;;\r\n"
    "Pat Nr;Zement [cc];Kosten;Höhe;Beh.\r\n"
    " 1 ; 4,5 ;1.234,50;D12, L1;VP\r\n"
    "Pat Nr;Zement [cc];Kosten;Höhe;Beh.\r\n"
    "2;12,0;;BWK11-LWK1;KP\r\n"
    "3;;2.000,00;Th12/L1;NSM\r\n"
    ";;;;\r\n"
    "Gesamt: 3;;;;\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_a_spreadsheet_with_everything_at_once(tmp_path, encoding):
    """Titles, repeated header, footer, units and commas, groups of thousands, levels in any words."""
    path = tmp_path / "wild.csv"
    path.write_bytes(WILD.encode(encoding))
    columns = {
        "patient_id": "Pat Nr",
        "treatment": "Beh.",
        "cement_ml": {"column": "Zement [cc]", "unit": "cc"},
        "fracture_age_days": {"column": "Kosten", "thousands": ".", "factor": 0.1},
    }
    levels = {"patient_id": "Pat Nr", "level": "Höhe"}
    mapping = {
        "decimal": ",",
        "feed": [
            {"source": "wild.csv", "table": "patients", "columns": {"patient_id": "Pat Nr"}},
            {"source": "wild.csv", "table": "episodes", "columns": columns},
            {"source": "wild.csv", "table": "levels", "columns": levels},
        ],
    }
    cohort = load(path, mapping=mapping)
    episodes = cohort.frame("episodes").set_index("treatment")
    assert episodes.loc["VP", "cement_ml"] == 4.5
    assert episodes.loc["KP", "cement_ml"] == 12
    assert episodes.loc["NSM", "fracture_age_days"] == 200
    found = cohort.frame("levels").merge(cohort.frame("episodes")[["patient_id", "treatment"]])
    assert found.groupby("treatment")["level"].agg(set).to_dict() == {
        "VP": {"T12", "L1"},
        "KP": {"T11", "T12", "L1"},
        "NSM": {"T12", "L1"},
    }
    account = cohort.accounting.iloc[0]
    assert (account.rows_in, account.rows_used, account.rows_ignored) == (6, 3, 3)
    # 123.45 days is no whole number: said, not rounded
    assert cohort.rejects["rule"].tolist() == ["not a whole number"]


def test_labels_instead_of_codes_give_the_same(tmp_path):
    rows = "id,sex,arm\n1,{},{}\n2,{},{}\n"
    codes = {"1": "female", "2": "male"}
    arms = {"1": "VP", "2": "KP", "Vertebroplasty": "VP", "Kyphoplasty": "KP"}
    feeds = [
        {
            "source": "t.csv",
            "table": "patients",
            "columns": {"patient_id": "id", "sex": {"column": "sex", "codes": codes}},
        },
        {
            "source": "t.csv",
            "table": "episodes",
            "columns": {"patient_id": "id", "treatment": {"column": "arm", "codes": arms}},
        },
    ]
    path = tmp_path / "t.csv"
    found = []
    for cells in (("1", "1", "2", "2"), ("Female", "Vertebroplasty", "male", "kyphoplasty")):
        path.write_text(rows.format(*cells))
        cohort = load(path, mapping={"feed": feeds}, key=b"k")
        assert cohort.rejects.empty
        found.append((cohort.frame("patients"), cohort.frame("episodes")))
    pd.testing.assert_frame_equal(found[0][0], found[1][0])
    pd.testing.assert_frame_equal(found[0][1], found[1][1])


def test_a_zip_of_a_database_with_rubbish_and_header_only_tables(tmp_path):
    path = tmp_path / "cdm.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in SAMPLE.items():
            archive.writestr(f"export/{name.upper()}", text)
            archive.writestr(f"__MACOSX/export/._{name}", b"\x00\x05\x16\x07")
        archive.writestr("export/2b_CONCEPT.csv", "concept_id,concept_name,concept_code\n")
        archive.writestr(
            "export/observation.csv", "observation_id,person_id,observation_date,value_as_number\n"
        )
    cohort = load(path)
    assert len(cohort.frame("patients")) == 2
    named = cohort.accounting.set_index("source_file")["rows_in"]
    assert named["observation.csv"] == 0
    assert not any(name.startswith("._") for name in named.index)


def test_only_headers_are_an_empty_cohort(tmp_path):
    for name, text in SAMPLE.items():
        (tmp_path / name).write_text(text.splitlines()[0] + "\n")
    cohort = load(tmp_path)
    assert {name: len(cohort.frame(name)) for name in vo.TABLES} == dict.fromkeys(vo.TABLES, 0)
    assert (cohort.accounting["rows_in"] == 0).all()


def test_gzipped_text_is_read_and_a_broken_one_is_said(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"id,bmi\na,22.5\n"))
    values, cohort = bmi_of(path)
    assert values == [22.5]
    assert cohort.accounting["source_file"].tolist() == ["t.csv.gz"]
    assert bmi_of(tmp_path)[0] == [22.5]
    path.write_bytes(gzip.compress(b"id,bmi\na,22.5\n")[:-6])
    with pytest.raises(LoadError, match=r"t\.csv\.gz"):
        load(path, mapping=PEOPLE)


FOREIGN = {
    "redcap": (
        "Diabetes_DATA.csv",
        "record_id,redcap_event_name,first_name,race___0,weight,consent_pdf,base_complete,hba1c\n"
        '1,visit_arm_1,"Ann ""A""\nB",0,70,[document],2,7.1\n2,visit_arm_2,Иван,1,90,,1,\n',
    ),
    "flat": ("cars.csv", "subject,model,miles\n1,A,20\n2,B,30\n"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_exports_about_something_else_load_and_say_so(tmp_path, kind):
    """Every row is accounted for; what cannot be mapped is said, free text is not shown."""
    name, text = FOREIGN[kind]
    (tmp_path / name).write_text(text, encoding="utf-8")
    cohort = load(tmp_path)
    account = cohort.accounting.iloc[0]
    gone = account.rows_rejected + account.rows_ignored
    assert account.rows_in == account.rows_used + gone == 2
    assert {"weight", "hba1c"} <= set(cohort.unmapped["column"]) or kind == "flat"
    assert not cohort.unmapped.astype(str).stack().str.contains("Ann|Иван").any()


def test_a_database_of_a_simulator_of_health_records(tmp_path):
    """Columns and words as Synthea writes them: people enter by the name of a concept."""
    (tmp_path / "person.csv").write_text(
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,"
        "race_concept_id,location_id,provider_id,care_site_id,person_source_value\n"
        "6,8532,1963,12,31,1963-12-31 00:00:00,8516,,,,001f4a87\n"
        "123,8507,1950,4,12,,8527,,,,052d9254\n"
    )
    (tmp_path / "condition_occurrence.csv").write_text(
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
        "condition_source_value\n"
        "1,6,40481087,1980-01-01,444814009\n2,123,80004,2001-05-05,312894000\n"
    )
    (tmp_path / "concept.csv").write_text(
        "concept_id,concept_name,domain_id,vocabulary_id,concept_code\n"
        "40481087,Viral sinusitis,Condition,SNOMED,444814009\n"
        "80004,Osteoporosis with vertebral fracture,Condition,SNOMED,312894000\n"
    )
    (tmp_path / "drug_exposure.csv").write_text("drug_exposure_id,person_id\n1,6\n")
    cohort = load(tmp_path)
    assert cohort.frame("episodes")["treatment"].tolist() == ["NSM"]
    assert cohort.frame("patients")["sex"].tolist() == ["male"]
    accounts = cohort.accounting.set_index("source_file")
    assert accounts.loc["person.csv", ["rows_used", "rows_ignored"]].tolist() == [1, 1]
    assert cohort.unmapped["source_file"].tolist() == ["drug_exposure.csv"]


def test_multiple_response_sets_of_spss_are_read_as_their_columns(tmp_path):
    path = tmp_path / "t.sav"
    frame = pd.DataFrame(
        {"id": ["a", "b"], "bmi": [20.0, 30.0], "r1": [1.0, 0.0], "r2": [1.0, 1.0]}
    )
    pyreadstat.write_sav(frame, str(path))
    said = b"$risks=D1 1 5 Risks r1 r2\n"
    record = b"".join(n.to_bytes(4, "little") for n in (7, 7, 1, len(said))) + said
    content = path.read_bytes()
    end = content.index((999).to_bytes(4, "little") + bytes(4))  # of the file's dictionary
    path.write_bytes(content[:end] + record + content[end:])
    values, cohort = bmi_of(path)
    assert values == [20, 30]
    assert "multiple-response set risks is read as its columns r1, r2" in " ".join(cohort.notes)
    assert cohort.unmapped["column"].tolist() == ["r1", "r2"]
