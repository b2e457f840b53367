"""What headers and labels of offices mean, and above all what they do not."""

import pytest

from vertebro_outcomes.loaders.event_words import event_in
from vertebro_outcomes.loaders.instrument_words import instrument_in, instrument_of
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.proposed_entries import propose_codes
from vertebro_outcomes.tables.cohort_tables import TABLES

EVENTS = {
    "cement_leakage_disc": "intradiscal|Disc|Leakage into disc space|Cementlekkage discus",
    "cement_leakage_epidural": "epidural leakage|fuite épidurale",
    "cement_leakage_foraminal": "Foraminal|foraminal leak",
    "cement_leakage": "cement leakage without symptoms|asymptomatic leakage|Fuga de cemento",
    "symptomatic_leakage": "symptomatic leakage|symptomatic cement leakage",
    "pulmonary_cement_embolism": "Lungenembolie durch Zement|asymptomatic pulmonary cement embolism",
    "osteomyelitis": "Spondylodiscitis|Discitis",
    "haematoma": "Paravertebral haematoma|epidurales Hämatom",
    "infection": "Paravertebral abscess|Infezione",
    "urinary_tract_infection": "Infecci\u00f3n urinaria|Infezione delle vie urinarie|Infection urinaire|UTI"
    "|Urineweginfectie|Blasenentz\u00fcndung, Zystitis|Infec\u00e7\u00e3o urin\u00e1ria",
    "thrombosis": "DVT|TVT links|Deep vein thrombosis",
    "crossover": "Crossed over|Cross-over to VP",
    "reoperation": "Re-operation|Reop.|Revisionseingriff",
    "thecal_sac_injury": "CSF leak|Dural tear",
    "myocardial_infarction": "non-fatal myocardial infarction",
    "death": "Overleden|Décès|Tod",
    "": "Disc herniation|Bandscheibenvorfall|Foraminal stenosis|Endplate fracture|Air leak|No leak"
    "|No infection|Kein neurologisches Defizit|Non-cardiac chest pain|Pulmonary embolism (no cement)",
}
INSTRUMENTS = {
    "pain_vas": "VAS back 3m|pijn_30d|EVA dolor lumbar|worst pain 3m|How bad has your pain been?",
    "leg_pain_vas": "VAS leg 3m|VAS_Bein_3m|EVA pierna|vas been",
    "eq5d_vas": "VAS EQ-5D 3m|EQ VAS",
    "sf12_pcs": "SF-12 PCS 3m",
    "odi": "ODI_3_months|Oswestry low back pain questionnaire",
    "rmdq": "RMDQ-24 1 year",
    "": "NRS leg 3m|VAS satisfaction|SF-36 bodily pain|eq5d_pain_3m|odi_pain_3m|odi_q1_3m|odi_1_3m|rmdq_5_3m"
    "|pain medication 3m|pain relief|vas_change_30d|EQ5D_3_3m|neck pain|pain_catastrophizing_3m",
}
CODES = {
    ("treatment", "VP"): "Vertebroplastiek|Percutaneous vertebroplasty",
    ("treatment", "KP"): "Ballonkyfoplastiek|Cifoplastica con palloncino",
    (
        "treatment",
        "NSM",
    ): "konservative Therapie|Non-operative management|kons.|kons. Therapie|konserv."
    "|Non-surgical (refused VP)",
    (
        "treatment",
        None,
    ): "VP refused|VP (refused)|Kyphoplastie (abgelehnt)|Vertebroplasty (planned)|VP geplant|KP (not done)"
    "|Geen vertebroplastiek|Pas de vertébroplastie|Conservative, later VP|VP + KP",
    ("leakage", "disc"): "into the disc|intradiscal|yes, disc",
    ("leakage", "none"): "nessuna|none seen|no leakage seen",
    ("leakage", None): "disc and venous|disc: no|not into disc|extradiscal",
    ("instrument", None): "Numeric rating scale leg",
}


def test_a_complication_is_what_the_whole_label_says():
    for kind, labels in EVENTS.items():
        assert {label: event_in(label) or "" for label in labels.split("|")} == dict.fromkeys(
            labels.split("|"), kind
        )


def test_a_part_or_a_change_of_a_score_is_not_the_score():
    for name, headers in INSTRUMENTS.items():
        found = {header: instrument_in(header) or "" for header in headers.split("|")}
        assert found == dict.fromkeys(headers.split("|"), name)
    assert instrument_of("vas_2_3m", "VAS leg") == "leg_pain_vas"
    assert instrument_of("pain_3m", "Pain relief at 3 months") is None
    assert instrument_of("ODI12", "ODI nach 12 Monaten") == "odi"


def test_a_label_that_denies_or_names_two_things_is_no_code():
    for (target, word), labels in CODES.items():
        table = {"treatment": "episodes", "leakage": "levels", "instrument": "scores"}[target]
        for label in labels.split("|"):
            codes, _ = propose_codes(target, TABLES[table][target].codes, [label], {})
            assert codes.get(label) == word, label


@pytest.mark.parametrize(
    ("header", "first", "second", "sexes"),
    [
        ("Sexo", "H", "M", {"H": "male", "M": "female"}),
        ("Sexo", "V", "M", {"V": "male", "M": "female"}),
        ("Geslacht", "V", "M", {"V": "female", "M": "male"}),
        ("Sesso", "U", "D", {"U": "male", "D": "female"}),
        ("Sexe", "H", "F", {"H": "male", "F": "female"}),
    ],
)
def test_one_letter_for_a_sex_means_what_it_means_beside_the_other(
    tmp_path, header, first, second, sexes
):
    """M alone is male; beside H it is mujer."""
    (tmp_path / "t.csv").write_text(f"id,{header}\n1,{first}\n2,{second}\n", encoding="utf-8")
    (feed,) = propose_mapping(tmp_path / "t.csv").content["feed"]
    assert feed["columns"]["sex"]["codes"] == sexes


def test_times_are_read_in_the_words_of_more_offices():
    said = {"ODI 3 mnd": 91, "VAS 12 mesi": 365, "VAS basale": 0, "Giorno 30": 30, "24 uur": 1}
    assert {text: timepoint_days(text) for text in said} == said


@pytest.mark.parametrize(
    ("title", "day"),
    [
        ("VAS 1.5 years", 548), ("EVA 1,5 mois", 46), ("VAS 0.5y", 183), ("VAS \u00bd Jahr", 183),
        ("day -7", -7), ("VAS Day -1", -1), ("-2 weeks", -14), ("VAS - 2 weeks", 14),
        ("VAS 3 months post baseline", 91), ("1 year from baseline", 365), ("12 Monate nach Einschluss", 365),
        ("VAS past 7 days, 3 months", 91), ("Schmerz letzte 24 Std", None), ("pain last 4 weeks", None),
        ("VAS pre-op, last week", 0), ("ODI before discharge", None), ("EVA avant la sortie", None),
        ("EVA J7", 7), ("EVA 5 j", 5), ("30 J", 30), ("Visit 3 - 6 weeks", 42), ("2nd week", 14),
    ],
)  # fmt: skip
def test_a_time_is_read_whole_and_only_as_far_as_it_is_one(title, day):
    assert timepoint_days(title) == day


@pytest.mark.parametrize(
    "title",
    ["VAS 1-2 weeks", "6 bis 12 Monate", "VAS 1/2 year", "Month 3-6", "24\u201348 h", "> 1 year", "D-1",
     "J-1", "VAS 1 J", "5 J", "2,5 J", "ODI 1.3m"],
)  # fmt: skip
def test_what_may_be_several_times_is_none(title):
    assert timepoint_days(title) is None
