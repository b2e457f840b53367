"""French, Portuguese and Scandinavian offices; times in weeks and months; units that contradict values."""

import pytest

from vertebro_outcomes.loaders.event_words import event_in
from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.omop_scores import as_mapping, said_of, unlisted_codes
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.proposed_entries import agreeing, propose_codes
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.registries.omop import FORMAT, SAMPLE
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.loaders.time_columns import numbered_times
from vertebro_outcomes.loaders.words import unit_of
from vertebro_outcomes.tables.engine import embedded_engine
from vertebro_outcomes.tables.event_types import LEAKAGE_SITES

KEY = b"words"
FRENCH = """\
N° patient;Sexe;Âge;Date d'intervention;Type d'intervention;Niveau;Volume de ciment (ml);Fuite de ciment;\
EVA préop;EVA M12;Corticoïdes;T-score;Décès;Date de décès;Durée des symptômes (semaines);\
Infection post-opératoire
1;F;78;03/02/2019;Vertébroplastie;T12;4,5;O;8,5;1,0;O;-2,8;N;;2;N
2;H;81;11/02/2019;Cyphoplastie;L1;5,25;N;7;;N;-3,1;O;01/06/2019;3;O
3;F;69;25/02/2019;Traitement conservateur;L3;;;9;4;N;-1,9;N;;1;N
"""


def test_a_french_table_with_o_and_n(tmp_path):
    (tmp_path / "cohorte.csv").write_bytes(FRENCH.encode("latin-1"))
    cohort = load(tmp_path, key=KEY)
    who = [pseudonym(n, KEY) for n in "123"]

    def told(table, *columns):
        frame = cohort.frame(table).set_index("patient_id").loc[who, list(columns)]
        return [
            [None if str(v) in ("nan", "<NA>", "None") else v for v in row]
            for row in frame.to_numpy()
        ]

    assert told("patients", "sex", "age_years", "steroid_use", "bmd_t_score", "death_day") == [
        ["female", 78, True, -2.8, None], ["male", 81, False, -3.1, 110], ["female", 69, False, -1.9, None],
    ]  # fmt: skip
    assert told("episodes", "treatment", "cement_ml", "fracture_age_days") == [
        ["VP", 4.5, 14], ["KP", 5.25, 21], ["NSM", None, 7],
    ]  # fmt: skip
    assert told("levels", "level", "leakage") == [["T12", None], ["L1", "none"], ["L3", None]]
    events = cohort.frame("events").set_index("patient_id")
    assert events.loc[who[0], ["type", "day"]].tolist() == ["cement_leakage", 0]
    assert events.loc[who[1], "type"] == "infection"
    scores = cohort.frame("scores").dropna(subset="value")
    assert sorted(zip(scores["day"], scores["value"], strict=True)) == [
        (0, 7), (0, 8.5), (0, 9), (365, 1), (365, 4),
    ]  # fmt: skip
    assert cohort.rejects.empty
    assert cohort.unmapped["column"].tolist() == ["Décès"]


@pytest.mark.parametrize(
    ("titles", "column"),
    [
        ("Nº processo|Løbenr|Pasientnr", "patient_id"), ("Idade|Ålder|Alder", "age_years"),
        ("Data da cirurgia|Operationsdato|Operasjonsdato", "treatment_date"),
        ("Procedimento|Åtgärd|Behandling", "treatment"), ("Nível|Nivå|Niveau", "level"),
        ("Volume de cimento (ml)|Cementmængde (ml)|Sementvolum (ml)", "cement_ml"),
        ("Extravasamento de cimento|Cementlækage|Sementlekkasje", "leakage"),
        ("Data do óbito|Dødsdato|Dödsdatum", "death_date"),
        ("Data da fratura|Bruddato|Frakturdatum", "fracture_date"),
        ("Dernières nouvelles|Sidste kontrol", "followup_end_date"),
    ],
)  # fmt: skip
def test_headers_of_further_languages(titles, column):
    assert {meaning_of(title)[1] for title in titles.split("|")} == {column}


def test_cement_in_the_lung_is_no_thrombus_in_any_language():
    assert event_in("Embolie pulmonaire de ciment") == "pulmonary_cement_embolism"
    assert event_in("Embolia pulmonar por cimento") == "pulmonary_cement_embolism"
    assert event_in("Embolie pulmonaire") == "pulmonary_embolism"
    assert event_in("Pneumopathie") == "pneumonia"


def test_o_and_s_are_yes_beside_n_alone():
    assert agreeing({v: v for v in ("O", "N")}) == ["O"]
    assert agreeing({v: v for v in ("s", "n")}) == ["s"]
    assert agreeing({v: v for v in ("O", "M")}) == []  # ohne, mit
    assert agreeing({v: v for v in ("O", "S", "N")}) == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1 månad", 30),
        ("3 måneder", 91),
        ("1 år", 365),
        ("6 veckor", 42),
        ("VAS före", 0),
        ("12 mnd", 365),
    ],
)
def test_times_of_further_languages(text, days):
    assert timepoint_days(text) == days


@pytest.mark.parametrize(
    ("column", "values", "days"),
    [
        ("month", ["0", "1", "12"], ["0", "30", "365"]), ("follow_up_weeks", ["0", "6"], ["0", "42"]),
        ("Visit (months)", ["1", "12"], ["30", "365"]), ("Monate nach OP", ["0", "6"], ["0", "183"]),
        ("month", ["1", "2", "12"], []),  # of the calendar
        ("year", ["2019", "2020"], []), ("followup_months", ["12", "24"], []), ("days", ["0", "7"], []),
        ("pain_months", ["0", "6"], []), ("weeks", ["0", "soon"], []),
    ],
)  # fmt: skip
def test_columns_that_count_weeks_or_months(column, values, days):
    assert list(numbered_times(column, values).values()) == days


def test_units_of_time_in_headers_are_told_in_several_languages():
    titles = ("Schmerzdauer (Wochen)", "Durée (mois)", "symptom_duration_weeks", "VAS (mm)", "ODI")
    assert [unit_of(title) for title in titles] == ["weeks", "months", "weeks", "mm", ""]


def test_scores_beside_a_time_without_a_unit_are_not_read_and_it_is_said(tmp_path):
    (tmp_path / "t.csv").write_text("patient_id,time,instrument,score\n1,0,VAS,8\n1,6,VAS,3\n")
    proposal = propose_mapping(tmp_path / "t.csv")
    assert not proposal.content["feed"]
    assert "days, weeks or months?" in str(proposal)
    (tmp_path / "t.csv").write_text("patient_id,treatment,vas,vas\n1,KP,8,3\n")
    assert str(proposal_reasons(tmp_path)["vas"]).endswith("pain_vas, but nothing says when")
    assert proposal_reasons(tmp_path)["vas (2)"].endswith("pain_vas, but nothing says when")


def proposal_reasons(folder):
    return {column: why for _, column, why in propose_mapping(folder / "t.csv").unmapped}


def database(folder, measurements, **tables):
    folder.mkdir()
    FORMAT.sample(folder)
    head = "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,measurement_source_value\n"  # noqa: E501
    (folder / "measurement.csv").write_text(head + measurements)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_ratings_in_mm_are_on_0_to_100_or_refused(tmp_path):
    rows = "1,-9007199254740993,0,2112-02-01,90,8588,72514-3\n"
    rows += "2,-9007199254740993,0,2112-03-05,5,8588,72514-3\n"
    rows += "3,-9007199254740992,0,2112-05-01,7,8588,38214-3\n4,-9007199254740992,0,2112-06-01,6,,72514-3\n"
    cohort = load(database(tmp_path / "a", rows), key=KEY)
    scores = cohort.frame("scores").sort_values("value")
    assert scores[["instrument", "value", "value_raw"]].to_numpy().tolist() == [
        ["pain_nrs", 0.5, 5], ["pain_nrs", 6, 6], ["pain_nrs", 9, 90],
    ]  # fmt: skip
    rejects = cohort.rejects.query("source_file == 'measurement.csv'")
    assert rejects[["line", "found", "rule"]].to_numpy().tolist() == [
        [4, "7", "unit mm, but no pain_vas is above 10"]
    ]
    assert cohort.accounting.set_index("source_file").loc["measurement.csv"].tolist() == [
        4,
        3,
        1,
        0,
    ]


@pytest.mark.slow
def test_a_database_with_times_instead_of_dates_is_the_same(tmp_path):
    plain, timed = tmp_path / "plain", tmp_path / "timed"
    for folder in (plain, timed):
        folder.mkdir()
        FORMAT.sample(folder)
    for name in SAMPLE:
        if name != "observation_period.csv":
            text = (timed / name).read_text()
            head, _, rows = text.partition("\n")
            (timed / name).write_text(head.replace("_date", "_datetime") + "\n" + rows)
    read = [load(folder, key=KEY) for folder in (plain, timed)]
    for table in ("patients", "episodes", "scores", "fractures"):
        assert read[0].frame(table).equals(read[1].frame(table))


def test_codes_that_seem_to_be_scores_are_listed_and_few_people_are_not_counted():
    engine = embedded_engine()
    header = ["person_id", "measurement_source_value", "measurement_concept_id", "value_as_number"]
    rows = [[str(n), "PAINVAS", "0", "7"] for n in range(12)] * 2
    rows += [[str(n), "SODIUM", "0", "140"] for n in range(12)]
    rows += [
        ["1", "ODI_LOCAL", "99", "40"],
        ["2", "HEIGHT", "98", "160"],
        ["3", "x y pain of a man", "0", "1"],
    ]
    source = source_from_rows(
        engine, "m.csv", header=header, rows=rows, lines=list(range(len(rows)))
    )
    names = [["99", "Low back disability"], ["98", "Body height"]]
    concepts = source_from_rows(
        engine, "c", header=["concept_id", "concept_name"], rows=names, lines=[1, 2]
    )
    codes = unlisted_codes(source, "measurement", concepts)
    (said,) = said_of(source, codes)
    assert "PAINVAS (24 rows)" in said
    assert "ODI_LOCAL 'Low back disability' (perhaps odi, few rows)" in said
    assert "a text (perhaps pain_vas, few rows)" in said
    assert "HEIGHT" not in said
    assert "man" not in said.replace("many", "")
    assert as_mapping(codes) == [
        'codes.scores."PAINVAS" = "..."  # PAINVAS (24 rows)',
        'codes.scores."ODI_LOCAL" = "odi"  # ODI_LOCAL \'Low back disability\' (perhaps odi, few rows)',
        "other codes with numbers: SODIUM (12 rows)",
    ]
    assert said_of(source, []) == []
    assert unlisted_codes(source, "observation", None) == []


def test_an_item_of_a_questionnaire_is_not_read_as_its_score(tmp_path):
    concepts = (
        "concept_id,concept_name,domain_id,concept_code\n"
        "71,Oswestry Disability Index score,Measurement,A\n72,Oswestry section 3 lifting,Measurement,B\n"
    )
    rows = "1,-9007199254740993,71,2112-02-01,40,,\n2,-9007199254740993,72,2112-02-01,4,,\n"
    cohort = load(database(tmp_path / "a", rows, concept=concepts), key=KEY)
    assert cohort.frame("scores")[["instrument", "value"]].to_numpy().tolist() == [["odi", 40]]


def test_titles_and_sites_of_further_offices():
    days = {t: timepoint_days(t) for t in ("VAS før", "VAS for op", "VAS 3 mdr", "reason for pain")}
    assert days == {"VAS før": 0, "VAS for op": 0, "VAS 3 mdr": 91, "reason for pain": None}
    assert meaning_of("Nº Historia") == ("patients", "patient_id")
    assert meaning_of("Cyphose pré-op") == ("levels", "kyphosis_pre_deg")
    assert meaning_of("Cifosi post (\u00b0)") == ("levels", "kyphosis_post_deg")
    assert meaning_of("Alter b. OP") == ("patients", "age_years")
    assert meaning_of("Welche Komplikation?") == ("events", "type")
    assert meaning_of("Niv\u00e5 ny fraktur") == ("fractures", "level")
    assert meaning_of("Extravasation Location") == ("levels", "leakage")
    sites = {
        t: propose_codes("leakage", LEAKAGE_SITES, [t], {})
        for t in ("paravertebral vein", "disc, vein")
    }
    assert sites["paravertebral vein"] == ({"paravertebral vein": "venous"}, 1.0)
    assert sites["disc, vein"] == ({}, 0.0)  # two places are not one
