"""Exports in the words of further offices, seen here for the first time."""

import openpyxl

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping

KEY = b"office"
DICTIONARY = """\
field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations
record_id,a,,text,Studienummer,
behandeling,a,,radio,Behandeling,"1, Vertebroplastiek|2, Conservatief, met brace"
datum_ok,a,,text,Operatiedatum,
compl,a,,checkbox,Complicaties,"0, Geen | 4, Koorts"
compl_datum,a,,text,Datum complicatie,
"""
RECORDS = """\
record_id;redcap_event_name;behandeling;datum_ok;compl___0;compl___4;compl_datum;a_complete
1;baseline_arm_1;1;2019-02-03;0;1;2019-02-13;2
2;baseline_arm_2;2;2019-03-03;1;0;;2
"""


def test_a_ticked_complication_has_the_date_of_the_complication_not_of_the_visit(tmp_path):
    (tmp_path / "p_DATA.csv").write_text(RECORDS)
    (tmp_path / "p_DataDictionary.csv").write_text(DICTIONARY)
    feeds = [
        feed for feed in propose_mapping(tmp_path).content["feed"] if feed["table"] == "events"
    ]
    cells = feeds[0]["columns"]
    assert (len(feeds), feeds[0]["where"]) == (1, {"compl___4": ["1", "Checked"]})
    assert (cells["type"], cells["date"]) == ({"constant": "fever"}, {"column": "compl_datum"})
    assert "day" not in cells


def test_a_sheet_is_known_by_its_own_name_not_by_that_of_its_workbook(tmp_path):
    book = openpyxl.Workbook()
    sheets = {
        "Pacientes": [["Nº paciente", "Tratamiento", "Fecha cirugía"], ["007", "Vertebroplastia", 43500]],
        "Escalas": [["Nº paciente", "Fecha visita", "Escala", "Valor"], ["007", 43500, "EVA", 8]],
        "Nuevas fracturas": [["Nº paciente", "Nivel", "Fecha"], ["007", "D11", 43560]],
        "Notas": [["La Sra. Invented llama"], ["el lunes"]],
    }  # fmt: skip
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    book.save(tmp_path / "fracture_registry.xlsx")
    proposal = propose_mapping(tmp_path)
    read = {feed["table"]: feed["source"].split("[")[1] for feed in proposal.content["feed"]}
    assert (read["scores"], read["fractures"]) == ("Escalas]", "Nuevas fracturas]")
    assert "levels" not in read
    (scores,) = (feed for feed in proposal.content["feed"] if feed["table"] == "scores")
    assert scores["columns"]["date"] == {"column": "Fecha visita", "dates": "excel"}
    assert "Invented" not in str(proposal)


def test_numbers_with_their_unit_or_scale_in_the_cell(tmp_path):
    text = (
        "Patiëntnummer;Operatiedatum;Cement (mL);pijn_0;pijn_12m;ODI_12m\n"
        "001;03-02-2019;3,5 mL;7/10;2/10;35 %\n"
        "002;23-02-2019;4 cc;8/10;3/10;40 %\n"
        "003;24-02-2019;5;9/10;onbekend;50\n"
    )
    (tmp_path / "t.csv").write_text(text, encoding="utf-8-sig")
    cohort = load(tmp_path, key=KEY)
    assert sorted(cohort.frame("episodes")["cement_ml"]) == [3.5, 4.0, 5.0]
    scores = cohort.frame("scores").dropna(subset="value")
    assert scores.groupby(["instrument", "day"])["value"].apply(sorted).to_dict() == {
        ("pain_vas", 0): [7, 8, 9],
        ("pain_vas", 365): [2, 3],
        ("odi", 365): [35, 40, 50],
    }
    assert cohort.rejects.empty


def test_one_date_of_a_complication_is_not_given_to_every_column_of_yes_and_no(tmp_path):
    text = "id,postop infection,cement leak,complication date\n1,yes,yes,2019-02-13\n2,no,yes,\n"
    (tmp_path / "t.csv").write_text(text)
    feeds = [f for f in propose_mapping(tmp_path).content["feed"] if f["table"] == "events"]
    assert {feed["columns"]["type"]["constant"] for feed in feeds} == {
        "infection",
        "cement_leakage",
    }
    assert not any("date" in feed["columns"] for feed in feeds)
