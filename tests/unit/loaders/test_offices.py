"""Exports of registry offices that know nothing of us: their headers, words, dates and order."""

import datetime as dt

import openpyxl
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.headers import meaning_of, names_a_person
from vertebro_outcomes.loaders.load import check, load
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.value_shapes import propose_dates, scale_of

KEY = b"a key for tests"
GERMAN = """\
Klinikum Musterstadt - Wirbelkörperfraktur-Register;;;;;;;;;;;;;;;;;;;;
Stand: 04.03.21;;;;;;;;;;;;;;;;;;;;
Pat.-Nr.;Name;Geb.-Datum;Geschl.;Größe (cm);Gewicht (kg);T-Score;Raucher;Kortison J/N;Frakturdatum;\
OP-Datum;Verfahren;Höhe;Zementmenge (ml);Zementaustritt;VAS prä;VAS post 6 Wo;VAS 12 Mo;\
ODI präop;ODI 12 Monate;verstorben am
0001;Müller, Anna;03.05.28;w;162;61,5;-3,1;N;N;12.01.19;04.02.19;KP;BWK 12;4,5;nein;8;3;2;64;28;
0002;Schmidt, Karl;17.11.38;m;175;80,2;-2,8;J;N;20.02.19;04.03.19;VP;LWK 1 + LWK 2;7,0;\
ja, Bandscheibe;9;4;k.A.;70;k.A.;12.11.19
0003;Weber, Ilse;30.01.45;w;158;55,0;-3,9;N;J;01.03.19;18.03.19;konservativ;LWK 3;;;7;6;5;58;44;
0004;Fischer, Otto;22.07.50;m;180;92,3;-2,5;unbek.;N;05.04.19;29.04.19;Kyphoplastie;BWK 11/12;6,5;\
ja;10;2;1;80;12;
Summe;;;;;;;;;;;;;18,0;;;;;;;
n = 4 Patienten;;;;;;;;;;;;;;;;;;;;
"""


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    path = tmp_path_factory.mktemp("klinik") / "WKF-Export.csv"
    path.write_bytes(GERMAN.encode("cp1252"))
    return load(path, key=KEY)


def of(cohort, table):
    return cohort.frame(table).set_index("patient_id")


def test_a_german_sheet_with_visits_side_by_side(german):
    patients, episodes = of(german, "patients"), of(german, "episodes")
    ids = {n: pseudonym(f"000{n}", KEY) for n in range(1, 5)}
    assert patients.loc[ids[1], ["sex", "age_years", "bmd_t_score"]].tolist() == [
        "female", 90.0, -3.1,
    ]  # fmt: skip
    assert patients.loc[ids[2], "death_day"] == 253
    assert patients["smoker"].dropna().tolist().count(True) == 1
    assert patients["smoker"].isna().sum() == 1
    assert german.frame("absences")[["column", "reason"]].to_numpy().tolist() == [
        ["leakage", "missing"], ["smoker", "missing"],
    ]  # fmt: skip
    assert patients.loc[ids[3], "steroid_use"]
    assert {n: episodes.loc[ids[n], "treatment"] for n in ids} == {
        1: "KP",
        2: "VP",
        3: "NSM",
        4: "KP",
    }
    assert episodes.loc[ids[1], ["fracture_day", "cement_ml"]].tolist() == [-23, 4.5]
    scores = german.frame("scores")
    assert scores.groupby(["instrument", "day"]).size().to_dict() == {
        ("odi", 0): 4, ("odi", 365): 4, ("pain_vas", 0): 4, ("pain_vas", 42): 4, ("pain_vas", 365): 4,
    }  # fmt: skip
    dead = scores.loc[scores["status"] == "dead", ["instrument", "day"]].to_numpy().tolist()
    assert dead == [["odi", 365], ["pain_vas", 365]]


def test_a_leak_without_a_site_is_an_event_and_no_leak_is_none(german):
    levels = of(german, "levels")
    assert levels.loc[[pseudonym("0002", KEY)], "leakage"].isna().tolist() == [True, True]
    assert levels.loc[[pseudonym("0004", KEY)], "leakage"].isna().all()
    assert levels.loc[pseudonym("0001", KEY), "leakage"] == "none"
    events = german.frame("events")
    assert dict(zip(events["patient_id"], events["type"], strict=True)) == {
        pseudonym("0004", KEY): "cement_leakage",
        pseudonym("0002", KEY): "cement_leakage_disc",  # at one of two vertebrae
    }


def test_totals_and_names_of_the_german_sheet(german):
    assert german.accounting.iloc[0, 1:].tolist() == [6, 4, 0, 2]
    assert german.ignored.to_numpy().tolist() == [["WKF-Export.csv", "footer", 2]]
    assert german.rejects.empty
    assert set(german.unmapped["column"]) == {"Name", "Größe (cm)", "Gewicht (kg)"}
    said = " ".join([str(german), *german.notes, german.unmapped.to_string()])
    assert not any(word in said for word in ("Müller", "Fischer", "0002"))


def test_a_french_workbook_of_three_sheets(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Patients"
    sheet.append(["Registre des fractures vertébrales"])
    sheet.merge_cells("A1:H1")
    sheet.append([])
    sheet.append(["N° patient", "Sexe", "Date de naissance", "Tabac", "Corticoïdes", "Date de fracture",
                  "Date de l'intervention", "Technique", "Volume ciment (mL)", "Date de décès"])  # fmt: skip
    sheet.append(["P-01", "F", dt.date(1941, 5, 3), "non", "non", dt.date(2019, 1, 12),
                  dt.date(2019, 2, 4), "cyphoplastie", 4.5, None])  # fmt: skip
    sheet.append(["P-02", "H", dt.date(1938, 11, 17), "oui", "non", dt.date(2019, 2, 20),
                  "04.03.2019", "vertébroplastie", 7, dt.date(2019, 11, 12)])  # fmt: skip
    sheet.append(["P-03", "F", dt.date(1945, 1, 30), "non", "oui", dt.date(2019, 3, 1),
                  None, "traitement conservateur", None, None])  # fmt: skip
    levels = book.create_sheet("Niveaux")
    for row in (("N° patient", "Niveau", "Fuite de ciment"), ("P-01", "T12", "aucune"),
                ("P-02", "L1", "discale"), ("P-02", "L2", "veineuse")):  # fmt: skip
        levels.append(row)
    visits = book.create_sheet("Suivi")
    for row in (("N° patient", "Visite", "EVA", "Oswestry (%)"), ("P-01", "J0", 8, 64),
                ("P-01", "M3", "3,5", 30), ("P-02", "J0", 9, 70), ("P-02", "M3", "NF", None)):  # fmt: skip
        visits.append(row)
    book.save(tmp_path / "registre.xlsx")
    cohort = load(tmp_path, key=KEY)
    episodes = of(cohort, "episodes")
    assert sorted(episodes["treatment"]) == ["KP", "NSM", "VP"]
    assert episodes.loc[pseudonym("P-02", KEY), "fracture_day"] == -12
    assert of(cohort, "patients")["sex"].value_counts().to_dict() == {"female": 2, "male": 1}
    assert cohort.frame("levels").sort_values("level")["leakage"].tolist() == [
        "disc", "venous", "none",
    ]  # fmt: skip
    scores = cohort.frame("scores").sort_values(["instrument", "day", "value"])
    assert scores[["instrument", "day", "value", "status"]].astype(str).to_numpy().tolist() == [
        ["odi", "0", "64.0", "observed"], ["odi", "0", "70.0", "observed"],
        ["odi", "91", "30.0", "observed"], ["pain_vas", "0", "8.0", "observed"],
        ["pain_vas", "0", "9.0", "observed"], ["pain_vas", "91", "3.5", "observed"],
        ["pain_vas", "91", "nan", "not_asked"],
    ]  # fmt: skip
    assert cohort.rejects.empty
    assert cohort.unmapped.empty


ENGLISH = """\
StudyID,Hospital,Gender,AgeAtSurgery,DateOfSurgery,ProcedureType,TreatedLevel,CementVolume_cc,CementLeak,\
vas_pre,vas_6w,odi_pre,odi_12m,LastFUDate,Died,DateOfDeath
S001,A,Female,78,Mar-2019,Balloon Kyphoplasty,T12,4.0,No,8,3,64,28,2020-03-01,No,
S001,A,Female,78,Mar-2019,Balloon Kyphoplasty,L1,3.5,Yes,8,3,64,28,2020-03-01,No,
S002,A,Male,81,05/04/2019,PVP,L2,6,Venous,9,4,70,,2019-11-12,Yes,12/11/2019
S003,B,F,69,18/03/2019,BKP,T11,5.5,Disc,7,6,58,44,2020-04-01,No,
S003,B,F,69,18/03/2019,BKP,T12,5.5,None,7,6,58,44,2020-04-01,No,
S004,B,M,74,29/04/2019,Conservative,L3,,,-99,6,-99,44,2020-05-01,No,
"""


def test_one_row_per_level_codes_for_no_answer_and_months_without_a_day(tmp_path):
    path = tmp_path / "vcf_db_export.csv"
    path.write_text(ENGLISH)
    cohort = load(path, key=KEY)
    levels = cohort.frame("levels")
    assert levels.groupby("patient_id")["cement_ml"].sum().to_dict() == {
        pseudonym("S001", KEY): 7.5, pseudonym("S002", KEY): 6.0,
        pseudonym("S003", KEY): 11.0, pseudonym("S004", KEY): 0.0,
    }  # fmt: skip
    assert of(cohort, "patients").loc[pseudonym("S002", KEY), "death_day"] == 221
    assert sorted(cohort.frame("events")["type"]) == [
        "cement_leakage", "cement_leakage_disc", "cement_leakage_venous",
    ]  # fmt: skip
    rules = cohort.rejects["rule"].value_counts().to_dict()
    assert rules.pop("a partial date") == 2
    assert list(rules) == ["repeats a record that is kept"]
    four = cohort.frame("scores").query("patient_id == @pseudonym('S004', @KEY) and day == 0")
    assert four["status"].tolist() == ["missing", "missing"]
    assert cohort.accounting.iloc[0, 1:].tolist() == [6, 6, 0, 0]
    assert cohort.unmapped["column"].tolist() == ["Died"]


def test_a_second_column_for_the_same_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("patient_id,sex,vas_6w,vas_6w,gender\n1,F,3,4,F\n2,M,5,6,M\n")
    report = str(check(path, key=KEY))
    assert "not mapped: t.csv vas_6w (2) ('vas_6w' is read as scores.value)" in report
    assert "not mapped: t.csv gender ('sex' is read as patients.sex)" in report


FLAGS = """\
Reg-Nr. Patient;OP am;Verfahren;Komplikation Infektion;Lungenembolie postop;Herzinfarkt;Zementleckage J/N
17;03.02.2019;VP;n;n;j;j
18;14.02.2019;KP;j;j;n;n
"""


def test_yes_or_no_to_a_complication_is_an_event_but_a_disease_one_came_with_is_none(tmp_path):
    path = tmp_path / "k.csv"
    path.write_text(FLAGS)
    cohort = load(path, key=KEY)
    events = cohort.frame("events").sort_values(["patient_id", "type"])
    assert set(events[["patient_id", "type"]].itertuples(index=False, name=None)) == {
        (pseudonym("18", KEY), "infection"), (pseudonym("18", KEY), "pulmonary_embolism"),
        (pseudonym("17", KEY), "cement_leakage"),
    }  # fmt: skip
    assert cohort.unmapped["column"].tolist() == ["Herzinfarkt"]
    proposal = str(vo.propose_mapping(path))
    assert 'where = { "Zementleckage J/N" = ["j"] }' in proposal


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Geb.-Datum", ("patients", "birth_date")), ("Datum der OP", ("episodes", "treatment_date")),
        ("Date de l'intervention", ("episodes", "treatment_date")),
        ("N° patient", ("patients", "patient_id")),
        ("CementVolume_cc", ("episodes", "cement_ml")), ("Kortison J/N", ("patients", "steroid_use")),
        ("What is the patient's sex?", ("patients", "sex")), ("verstorben am", ("patients", "death_date")),
        ("New fracture: date", ("fractures", "date")), ("budget", None), ("", None),
    ],
)  # fmt: skip
def test_headers_in_several_languages(title, key):
    assert meaning_of(title) == key


def test_headers_that_number_people():
    assert names_a_person("Reg-Nr. Patient")
    assert not names_a_person("patient name")


@pytest.mark.parametrize(
    ("values", "order", "sure"),
    [
        (["04.03.21", "13.03.21"], "day_first", 1.0), (["04FEB2019", "31DEC2019"], "named_month", 1.0),
        (["4. März 2019"], "named_month", 1.0), (["Feb 4, 2019"], "named_month", 1.0),
        (["22-ott-2019", "3 giu 2019", "1 maj 2019", "5. des 2019", "7 out 2019"], "named_month", 1.0),
        (["43840", "2020-01-10", "10.02.2020"], "excel", 0.85),
        (["2019-02-03", "13/04/2019"], "day_first", 1.0),
        (["Mar-2019", "13/04/2019"], "day_first", 1.0), (["2019", "2020"], "iso", 1.0),
        (["03/04/2019"], "day_first", 0.6), (["soon"], "iso", 0.0),
        (["1/2/2019", "3/22/2019"], "month_first", 1.0),
    ],
)  # fmt: skip
def test_the_order_of_dates_is_told_by_those_that_can_only_be_one(values, order, sure):
    assert propose_dates(values) == (order, pytest.approx(sure))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("J0", 0), ("M3", 91), ("VAS prä", 0), ("VAS post 6 Wo", 42), ("24 h", 1), ("48h post", 2),
        ("6 semaines", 42), ("1 an", 365), ("Visit 3 (6 weeks)", 42), ("12 mois", 365), ("3 Tage postop", 3),
        ("Entlassung", None), ("T3", None),
    ],
)  # fmt: skip
def test_times_in_several_languages(text, days):
    assert timepoint_days(text) == days


@pytest.mark.parametrize(
    ("title", "scale"),
    [("ODI (0-50)", [0, 50]), ("ODI (/50)", [0, 50]), ("ODI (0-100)", None), ("ODI", None)],
)
def test_scales_in_headers(title, scale):
    assert scale_of("odi", title, ["12", "30"]) == scale
