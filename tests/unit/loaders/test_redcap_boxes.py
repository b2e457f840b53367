"""What the boxes of a REDCap project are about, and labels that say more than their codes."""

import pytest

from vertebro_outcomes.loaders.event_days import RowDates
from vertebro_outcomes.loaders.instrument_words import instrument_of
from vertebro_outcomes.loaders.labelled_figures import figures_of
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.proposal import propose_lines
from vertebro_outcomes.loaders.proposed_events import flag_feeds
from vertebro_outcomes.loaders.redcap_boxes import box_feeds, names_treated
from vertebro_outcomes.loaders.redcap_dictionary import Field
from vertebro_outcomes.loaders.redcap_project import open_project
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.tables.engine import embedded_engine


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


def boxes(name, label, choices):
    return Field(name, "form", "checkbox", label, choices, "", "")


def source_of(engine, columns, labels=None, codes=None):
    rows = list(zip(*columns.values(), strict=True))
    lines = range(2, 2 + len(rows))
    more = {"labels": labels or {}, "codes": codes or {}}
    return source_from_rows(engine, "p.csv", header=list(columns), rows=rows, lines=lines, **more)


@pytest.mark.parametrize(
    ("name", "label", "treated"),
    [
        ("lv", "Levels treated", True),
        ("hoehe", "Höhe(n)", True),
        ("fx", "Fractured vertebrae", True),
        ("niv", "Niveaux traités (D4 à L5)", True),
        ("old_fx", "Previous (healed) vertebral fractures", False),
        ("alt", "Alte Wirbelfrakturen", False),
        ("newfx", "New fracture at", False),
        ("neu", "Neue Frakturhöhe", False),
        ("nouv", "Niveau des nouvelles fractures", False),
        ("folge", "Folgefraktur Höhe", False),
        ("fx12", "Fractured vertebrae at 12 months", False),
        ("plan", "Levels planned for treatment", False),
        ("untr", "Fractured, untreated levels", False),
        ("leak", "Treated levels with cement leakage", False),
        ("screws", "Levels treated with pedicle screws", False),
        ("pain", "Tenderness on percussion", False),
    ],
)
def test_vertebrae_of_boxes_are_those_of_day_0(name, label, treated):
    """Ticked boxes of old and new fractures, screws and pain became treated vertebrae."""
    assert names_treated(boxes(name, label, {"t12": "T12"})) is treated


def test_diseases_of_boxes_are_complications_where_the_field_says_so(engine):
    """A history of cardiac events and measures of prevention were counted as complications."""
    told = {
        "hist": "Medical history: cardiac events",
        "prev": "Preventive measures",
        "ae_before": "Adverse events of previous treatments",
        "compl": "Complications",
    }
    fields = {name: boxes(name, label, {"1": "Stroke"}) for name, label in told.items()}
    source = source_of(engine, {"id": ["1"], **{f"{name}___1": ["1"] for name in fields}})
    feeds, left = box_feeds(source, fields, RowDates("id", None, {}), {})
    assert [list(feed["where"]) for feed in feeds] == [["compl___1"]]
    assert [column for _, column in left] == ["hist___1", "ae_before___1"]


@pytest.mark.parametrize(
    ("labels", "values", "figures"),
    [
        ({"1": "under 50", "2": "50-59", "3": "60 or more"}, ["1", "2", "3"], {}),
        ({"1": "less than 2 weeks", "2": "2-6 weeks"}, ["1", "2"], {}),
        ({"1": "no problems", "2": "slight problems"}, ["1", "2"], {}),
        ({"1": "one level", "2": "two levels"}, ["1", "2"], None),
        ({"1": "1", "2": "2", "3": "3 or more"}, ["1", "3"], {"1": "1"}),
        ({"1": "0 (no pain)", "2": "1", "11": "10"}, ["1", "11"], {"1": "0", "11": "10"}),
        (
            {"1": "no pain", "2": "1", "3": "2", "4": "3", "5": "worst"},
            ["1", "5"],
            {"1": "0", "5": "4"},
        ),
        ({"1": "0", "2": "1"}, ["1", "2", "3"], {}),  # 3 has no label: codes or numbers
        ({"0": "no pain", "10": "worst pain"}, ["0", "3", "7.5"], None),  # the others are numbers
        ({"-99": "missing"}, ["3", "7,5"], None),
    ],
)
def test_a_code_is_the_number_that_its_label_names(labels, values, figures):
    """Age groups 1, 2, 3 were read as ages, and ratings coded from 1 were one too high."""
    assert figures_of(labels, values) == figures


def test_groups_are_no_numbers_and_units_stand_in_labels(engine):
    source = source_of(
        engine,
        {"id": ["1", "2"], "age": ["1", "2"], "nrs": ["1", "11"], "dauer": ["2", "6"]},
        labels={"age": "Age", "nrs": "NRS at 6 weeks", "dauer": "Schmerzdauer (Wochen)"},
        codes={
            "age": {"1": "under 70", "2": "70 or more"},
            "nrs": {str(n + 1): str(n) for n in range(11)},
        },
    )
    found = {line.column: line for line in propose_lines(source)}
    assert found["age"].sure < 0.7
    assert found["nrs"].entry["codes"] == {"1": "0", "11": "10"}
    assert found["dauer"].entry["unit"] == "weeks"


@pytest.mark.parametrize(
    ("name", "label", "instrument"),
    [
        ("odi_raw", "ODI raw sum", None),
        ("odi_pct", "ODI total (%)", "odi"),
        ("eq5d_selfcare", "EQ-5D-5L: self-care", None),
        ("eq5d_anxiety", "EQ-5D-5L: anxiety/depression", None),
        ("eq5d_ua", "EQ-5D usual activities", None),
        ("eq5d_index", "EQ-5D-5L index value", "eq5d"),
        ("eq5d_vas", "EQ VAS: your health today", "eq5d_vas"),
    ],
)
def test_raw_sums_and_single_questions_are_no_scores(name, label, instrument):
    """Of two columns of the ODI the first was read: half of the score where that was the raw sum."""
    assert instrument_of(name, label) == instrument


def test_a_complication_asked_with_unknown_is_one_where_it_says_yes(engine):
    source = source_of(engine, {"id": ["1", "2", "3"], "leak_any": ["Yes", "No", "Unknown"]})
    (feed,) = flag_feeds(source, {}, set(), RowDates("id", None, {}))
    assert feed["where"] == {"leak_any": ["Yes"]}


DICTIONARY = """\
field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number
record_id,base,text,Record ID,,
treatment,base,radio,Treatment,"1, VP | 2, KP",
op_date,base,text,Unheard-of date,,date_dmy
treatment_date,base,text,Date of treatment,,date_dmy
bmi,base,text,BMI,,number
vas,fu,text,Back pain VAS,,number
nrs,fu,radio,NRS,"1, 0 | 2, 1 | 3, 2 | 4, 3",
"""
LABELS = """\
record_id,redcap_event_name,treatment,op_date,treatment_date,bmi,base_complete,vas,nrs,fu_complete
1,Baseline,VP,2020-01-02,2020-01-02,Not applicable,Complete,7.5,3,Complete
1,3 months,,,,,,Missing,2,Complete
2,Baseline,KP,2020-01-03,2020-01-03,Missing,Complete,8,3,Complete
2,3 months,,,,,,Not asked,1,Complete
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "P_DATA_LABELS.csv").write_text(LABELS)
    (folder / "P_DataDictionary.csv").write_text(DICTIONARY)
    return folder


def test_labels_of_missing_data_codes_keep_their_reason(project):
    """`Missing` counted as a blank without a word, and the labels 0 to 3 as the codes 1 to 4."""
    cohort = load(project, key=b"k")
    assert cohort.rejects.empty
    scores = cohort.frame("scores")[["instrument", "day", "value", "status"]]
    assert sorted(scores.astype(str).to_numpy().tolist()) == [
        ["pain_nrs", "0", "3.0", "observed"], ["pain_nrs", "0", "3.0", "observed"],
        ["pain_nrs", "91", "1.0", "observed"], ["pain_nrs", "91", "2.0", "observed"],
        ["pain_vas", "0", "7.5", "observed"], ["pain_vas", "0", "8.0", "observed"],
        ["pain_vas", "91", "nan", "missing"], ["pain_vas", "91", "nan", "not_asked"],
    ]  # fmt: skip
    absences = cohort.frame("absences")[["column", "reason"]].to_numpy().tolist()
    assert sorted(absences) == [["bmi", "missing"], ["bmi", "not_applicable"]]
    reasons = dict(cohort.unmapped[["column", "reason"]].to_numpy().tolist())
    assert "free text" not in reasons["op_date"]


def test_an_export_of_labels_is_known_by_its_cells(engine, project):
    (source,), _, _ = open_project(engine, project)
    assert source.codes["nrs"] == {"0": "0", "1": "1", "2": "2", "3": "3", "4": "3"}
