"""Exports of registries that the loaders were not built with: what is read, and what is said of the rest."""

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.proposal import UNDATED_DEATH
from vertebro_outcomes.loaders.proposal_line import SURE
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.value_shapes import scale_of
from vertebro_outcomes.loaders.workbooks import read_statistical, read_workbook
from vertebro_outcomes.tables.engine import embedded_engine


def test_a_blank_among_dates_with_times_is_blank(tmp_path):
    dates = pd.to_datetime(["2019-02-03 10:30", None])
    pyreadstat.write_sav(pd.DataFrame({"died": dates}), tmp_path / "r.sav")
    source = read_statistical(embedded_engine(), tmp_path / "r.sav")
    assert source.data.died.to_pyarrow().to_pylist() == ["2019-02-03 10:30:00", None]


def csv(folder, **tables):
    """Tables as CSV files, one per name."""
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_treatments_repeated_beside_visits_without_their_date_are_no_further_episodes(tmp_path):
    cohort = load(
        csv(
            tmp_path,
            operations="patient_id,treatment,treatment_date\n1,KP,2019-02-03\n2,VP,2019-02-04\n"
            "3,KP,2019-02-05\n3,VP,2019-09-05\n",
            visits="patient_id,treatment,visit_date,vas\n1,KP,2019-02-03,8\n1,KP,2019-03-03,3\n"
            "2,KP,2019-02-04,7\n3,KP,2019-02-05,6\n",
        )
    )
    assert sorted(cohort.frame("episodes").treatment) == ["KP", "KP", "VP", "VP"]
    assert sorted(cohort.frame("scores").day) == [0, 0, 0, 28]
    assert cohort.rejects[["source_file", "line", "found", "rule"]].to_numpy().tolist() == [
        ["visits.csv", 4, "KP", "two records for one of episodes disagree; the first value is kept"],
        ["visits.csv", 5, "KP", "several treatments of the patient, and no date or number that says"
         " of which this is"],
    ]  # fmt: skip


@pytest.mark.slow
def test_a_date_of_treatment_in_the_first_row_of_a_patient_alone_is_that_of_all(tmp_path):
    head = "patient_id,treatment,fracture_date,treatment_date,visit_date,vas\n"
    rows = "1,KP,2019-01-03,2019-02-03,2019-02-03,8\n1,KP,2019-01-03,,2019-03-03,3\n"
    cohort = load(csv(tmp_path, t=head + rows))
    assert cohort.frame("episodes")[["treatment", "fracture_day"]].to_numpy().tolist() == [
        ["KP", -31]
    ]
    assert cohort.rejects.empty
    other = load(csv(tmp_path, t=head + rows.replace("KP,2019-01-03,,", "NSM,,,")))
    assert sorted(other.frame("episodes").treatment) == ["KP", "NSM"]


@pytest.mark.parametrize("other", ["7", pytest.param("07 a", marks=pytest.mark.slow)])
def test_numbers_that_differ_in_zeros_or_capitals_are_two_people_and_listed(tmp_path, other):
    own = "007" if other == "7" else "7A"
    cohort = load(
        csv(
            tmp_path,
            operations=f"patient_id,treatment,treatment_date\n8,VP,2019-02-04\n{own},KP,2019-02-03\n",
            visits=f"patient_id,visit_date,vas\n8,2019-02-04,7\n8,2019-03-04,3\n{other},2019-02-03,8\n",
        )
    )
    told = cohort.rejects[cohort.rejects.rule.str.startswith("another number differs")]
    assert told[["source_file", "line", "column", "found"]].to_numpy().tolist() == [
        ["operations.csv", 3, "patient_id", "(not shown)"],
        ["visits.csv", 4, "patient_id", "(not shown)"],
    ]


@pytest.mark.parametrize(
    ("name", "values", "scale"),
    [
        ("odi", ["0.44", "0.6", "1", "0,12"], [0.0, 1.0]),
        ("odi", ["0.44", "0.6", "44"], None),
        ("odi", ["0", "1"], None),
        ("eq5d", ["0.44", "0.6", "0.12", "-0.1"], None),
        ("pain_vas", ["0.4", "0.6", "0.1"], None),
    ],
)
def test_scores_of_a_hundred_that_are_all_parts_of_one(name, values, scale):
    assert scale_of(name, name, values) == scale


@pytest.mark.slow
def test_parts_of_one_are_told_in_long_tables_too(tmp_path):
    rows = "".join(f"1,odi,2019-0{n}-03,0.{n}\n" for n in range(2, 6))
    cohort = load(
        csv(
            tmp_path,
            operations="patient_id,treatment,treatment_date\n1,VP,2019-02-03\n",
            scores="patient_id,instrument,date,value\n" + rows,
        )
    )
    assert cohort.frame("scores").value.tolist() == [20, 30, 40, 50]


@pytest.mark.slow
def test_a_disability_index_that_never_passes_its_sum_of_50_is_asked_about(tmp_path):
    rows = "".join(f"{n},VP,2019-02-03,{n}\n" for n in range(20, 46))
    cohort = load(csv(tmp_path, t="patient_id,treatment,treatment_date,odi baseline\n" + rows))
    assert (
        "t.csv: odi is declared on 0-100 but no value is above 45; check the scale" in cohort.notes
    )


def test_values_of_another_kind_than_a_mapping_needs_are_named():
    feed = {
        "source": "a.csv",
        "where": {"X": 1},
        "scales": [0, 1],
        "columns": {"sex": {"column": "S", "codes": "w", "factor": "a", "scale": [1]}},
    }
    with pytest.raises(LoadError) as refused:
        read_mapping({"missing": "-99", "feed": [feed, "b"]})
    assert [(p.where.removeprefix("mapping, "), p.found) for p in refused.value.problems] == [
        ("missing", "'-99'"),
        ("feed 1, scales", "[0, 1]"),
        ("feed 1, columns.sex.codes", "'w'"),
        ("feed 1, columns.sex.factor", "'a'"),
        ("feed 1, columns.sex.scale", "[1]"),
        ("feed 1, where.X", "1"),
        ("feed 2", "'b'"),
    ]


def test_a_hidden_sheet_is_not_read_and_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["patient_id", "vas"])
    book.active.append([1, 5])
    old = book.create_sheet("old")
    old.append(["patient_id", "vas"])
    old.append([1, 9])
    old.sheet_state = "hidden"
    book.save(tmp_path / "r.xlsx")
    (source,) = read_workbook(embedded_engine(), tmp_path / "r.xlsx")
    assert source.data.vas.to_pyarrow().to_pylist() == ["5"]
    assert source.notes == (
        "r.xlsx[old]: a hidden sheet is not read; show it if it belongs to the data",
    )


PERSON = "person_id,gender_concept_id,year_of_birth\n1,8532,1940\n2,8507,1941\n"
TREATED = """\
procedure_occurrence_id,person_id,procedure_date,procedure_source_value
1,1,2019-06-01,22514
2,1,2019-12-01,22514
3,2,2019-06-01,22514
"""
CODED = """\
condition_occurrence_id,person_id,condition_start_date,condition_source_value
1,1,2019-02-01,S32.010A
2,1,2019-06-21,S32.010A
3,2,2019-05-21,S32.010A
4,2,2019-10-01,S32.020A
"""
TOLD = """\
observation_id,person_id,observation_date,observation_source_value,value_as_number
1,1,2021-06-01,Death,
2,2,2021-06-01,death of spouse,
"""


@pytest.mark.slow
def test_a_diagnosis_soon_after_the_procedure_is_no_new_fracture_and_death_may_be_observed(
    tmp_path,
):
    cohort = load(
        csv(
            tmp_path,
            person=PERSON,
            procedure_occurrence=TREATED,
            condition_occurrence=CODED,
            observation=TOLD,
        ),
        key=b"k",
    )
    first, second = (pseudonym(n, b"k") for n in "12")
    assert cohort.frame("fractures")[["patient_id", "day"]].to_numpy().tolist() == [[second, 122]]
    deaths = cohort.frame("patients").set_index("patient_id").death_day.dropna()
    assert deaths.to_dict() == {first: 731}
    assert any(
        note.startswith("1 person was treated again on a later day") for note in cohort.notes
    )


@pytest.mark.slow
def test_labels_of_declared_missing_values_say_why(tmp_path):
    labels = {"odi_12m": {997: "refused", 998: "not asked", 999: "died"}}
    frame = pd.DataFrame(
        {"pid": [1, 2, 3, 4], "treatment": ["VP"] * 4, "odi_12m": [997, 998, 999, 20]}
    )
    ranges = {"odi_12m": [{"lo": 990, "hi": 999}]}
    pyreadstat.write_sav(
        frame, tmp_path / "r.sav", variable_value_labels=labels, missing_ranges=ranges
    )
    scores = load(tmp_path).frame("scores")
    assert sorted(scores.status) == ["dead", "missing", "not_asked", "observed"]


REASONS = """\
patient_id,treatment,surgery date,Level treated,Geb.-Dat.,died,odi 3m
1,VP,03/04/2019,T12,1940-02-01,1,<10
2,KP,05/06/2019,L1,1940-02-21,0,3-4
3,KP,05/06/2019,L1,1940-02-22,0,44
"""


def test_what_is_not_read_says_what_to_do(tmp_path):
    proposal = propose_mapping(csv(tmp_path, t=REASONS) / "t.csv")
    assert {(x.column, x.table, x.target) for x in proposal.lines if x.sure >= SURE} == {
        ("patient_id", "patients", "patient_id"), ("treatment", "episodes", "treatment"),
        ("Level treated", "levels", "level"), ("Geb.-Dat.", "patients", "birth_date"),
    }  # fmt: skip
    assert {column: why.split(": ", 1)[1] for _, column, why in proposal.unmapped} == {
        "surgery date": "header; no day is above 12, so that 03/04 may be either: say dates = "
        '"day_first" or "month_first" in a mapping file',
        "died": "it says that somebody died and not when: add a column with the date of death",
        "odi 3m": "odi, but only 33% of the different values are numbers",
    }


def test_a_folder_without_tables_is_refused(tmp_path):
    for ask in (load, propose_mapping):
        with pytest.raises(LoadError, match="no table in it; allowed: CSV, Excel"):
            ask(tmp_path)


def test_a_folder_of_other_files_names_them(tmp_path):
    for name in ("a.xls", "b.ods"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(LoadError, match=r"(?s)only a\.xls, b\.ods, which no reader.*save"):
        load(tmp_path)


@pytest.mark.slow
def test_centimetres_among_millimetres_are_asked_about(tmp_path):
    values = ("85", "70", "64", "30", "8.5", "7.1", "2.5")
    rows = "".join(f"{n},VP,2019-02-03,{v}\n" for n, v in enumerate(values))
    cohort = load(csv(tmp_path, t="patient_id,treatment,treatment_date,vas baseline\n" + rows))
    assert any("cm and mm may be mixed" in note for note in cohort.notes)


@pytest.mark.parametrize("title", ["VAS_V0", "ODI T0", "vas_t_0", "v0"])
def test_visits_numbered_from_zero_begin_at_the_baseline(title):
    assert timepoint_days(title) == 0


@pytest.mark.parametrize("title", ["dod", "Death", "Exitus", "verstorben"])
def test_a_column_named_after_death_is_its_date_where_it_holds_dates(tmp_path, title):
    lines = {}
    for told in ("2019-11-12", "1"):
        rows = [f"{n},VP,2019-02-03,{told if n % 3 == 0 else ''}" for n in range(9)]
        (tmp_path / "t.csv").write_text(
            "\n".join([f"patient_id,treatment,treatment_date,{title}", *rows])
        )
        frame = propose_mapping(tmp_path / "t.csv").to_frame()
        line = frame[(frame["column"] == title) & (frame["target"] == "death_date")].iloc[0]
        lines[told] = [line["sure"], line["why"]]
    assert lines["2019-11-12"][0] > 0.8
    assert lines["1"] == [0.0, UNDATED_DEATH]
