"""Forms of a REDCap project: each may have a date, labels may repeat, sites stand beside yes and no."""

import pytest

from vertebro_outcomes.loaders.event_words import event_in
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.proposed_entries import propose_codes
from vertebro_outcomes.loaders.redcap_dictionary import (
    Field,
    forms_by_place,
    names_for_labels,
    plain_label,
)
from vertebro_outcomes.loaders.words import ABSENCE_WORDS, LEAKAGE_WORDS, TRUTH_WORDS, word_for
from vertebro_outcomes.vocabulary import TREATMENTS


def field(name, form, label):
    return Field(name, form, "text", label, {}, "", "")


def test_a_label_of_several_fields_names_each_in_its_order():
    """`Date` of three forms: the scores took the date of the procedure, or none."""
    fields = {
        one.name: one
        for one in (
            field("rid", "base", "Record ID"),
            field("op", "proc", "Date"),
            field("seen", "visit", "Date"),
            field("vas_pre", "visit", "VAS (before)"),
            field("vas_post", "visit", "VAS (after)"),
        )
    }
    header = ["Record ID", "Date", "Date (2)", "VAS (before)", "VAS (after)"]
    assert names_for_labels(header, fields) == dict(zip(header, fields, strict=True))
    assert "Date" not in names_for_labels(["Record ID", "Date"], fields)  # of which form?


def test_where_no_dictionary_tells_the_status_ends_a_form():
    header = ["id", "redcap_event_name", "age", "base_complete", "vas", "Date", "Complete?"]
    assert forms_by_place(header) == {
        "age": "base_complete", "vas": "Complete?", "Date": "Complete?",
    }  # fmt: skip


def test_fields_embedded_in_a_label_leave():
    assert plain_label("<p>VAS {vas_date} today {note:icons}</p>") == "VAS today"


def test_non_operative_denies_no_treatment():
    labels = {"1": "Non-operative, brace", "2": "No vertebroplasty"}
    codes, _ = propose_codes("treatment", tuple(TREATMENTS), ["1", "2"], labels)
    assert codes == {"1": "NSM"}


DICTIONARY = """\
field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number
rid,base,text,Record ID,,
tx,base,radio,Treatment,"1, VP | 2, KP",
tx_date,base,text,Date of treatment,,date_dmy
lv,vert,dropdown,Level,"1, T12 | 2, L1",
lk,vert,yesno,Cement leakage?,,
lk_site,vert,dropdown,Leakage site,"1, Venous | 2, Epidural",
pdate,pain,text,Date,,date_dmy
vas,pain,text,VAS,,number
fdate,func,text,Date,,date_dmy
odi,func,text,ODI,,number
aedate,ae,text,Date,,date_dmy
aetype,ae,dropdown,Adverse event,"1, Infection",
"""
DATA = """\
rid,redcap_repeat_instrument,redcap_repeat_instance,tx,tx_date,base_complete,lv,lk,lk_site,vert_complete,pdate,vas,pain_complete,fdate,odi,func_complete,aedate,aetype,ae_complete
1,,,1,2020-01-10,2,,,,,,,,,,,,,
1,vert,1,,,,1,1,2,2,,,,,,,,,
1,vert,2,,,,2,0,,2,,,,,,,,,
1,pain,1,,,,,,,,2020-01-20,4,2,,,,,,
1,pain,2,,,,,,,,2020-01-30,3,2,,,,,,
1,func,1,,,,,,,,,,,2020-02-09,22,2,,,
1,ae,1,,,,,,,,,,,,,,2020-01-15,1,2
2,,,2,2020-01-11,2,,,,,,,,,,,,,
2,vert,1,,,,1,1,,2,,,,,,,,,
"""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    (folder / "P_DATA.csv").write_text(DATA)
    (folder / "P_DataDictionary.csv").write_text(DICTIONARY)
    return load(folder, key=b"k")


def test_each_form_has_its_own_date(cohort):
    """Scores and complications of forms that repeat apart took the date of the first form: none."""
    assert cohort.rejects.empty
    scores = cohort.frame("scores")[["instrument", "day", "value"]].astype(str).to_numpy().tolist()
    assert sorted(scores) == [
        ["odi", "30", "22.0"],
        ["pain_vas", "10", "4.0"],
        ["pain_vas", "20", "3.0"],
    ]
    events = cohort.frame("events")[["type", "day"]].astype(str).to_numpy().tolist()
    assert ["infection", "5"] in events


def test_leaks_known_by_their_label_alone_are_counted_and_their_site_is_kept(cohort):
    """A yes beside its vertebra was lost where the name of the field did not say leakage."""
    leaks = cohort.frame("events").query("type.str.startswith('cement')")
    assert len(leaks) == 2
    levels = cohort.frame("levels")[["level", "leakage"]].astype(str).to_numpy().tolist()
    assert ["T12", "epidural"] in levels


def test_words_of_answers_in_other_languages():
    absent = {
        "Non applicable": "not_applicable",
        "Nicht zutreffend": "not_applicable",
        "Non demandé": "not_asked",
        "Pas d'information": "missing",
        "Asked but unknown": "missing",
    }
    assert {label: word_for(label, ABSENCE_WORDS) for label in absent} == absent
    assert word_for("disque", LEAKAGE_WORDS) == "disc"
    assert event_in("Cementlekkage epiduraal") == "cement_leakage_epidural"
    assert [word_for(label, TRUTH_WORDS) for label in ("Nooit", "Gestopt")] == ["0", "0"]
