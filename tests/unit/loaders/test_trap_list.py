"""Every trap of real files, in the order in which the formats are described: trap, fixture, expectation.

A trap is either held here by the smallest export that contains it, or names the test that holds it.
"""

import ast
from pathlib import Path

import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.cells import parse
from vertebro_outcomes.loaders.format import STAGED, Cell
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.registries.omop import SAMPLE
from vertebro_outcomes.loaders.sources import Setting
from vertebro_outcomes.loaders.value_shapes import decimal_of, is_number
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"a key for tests"
HERE = Path(__file__).parent
TESTED = {
    # REDCap
    "one row per record, event and repeat instance": "test_redcap::"
    "test_patients_are_merged_over_events_and_arms",
    "access groups whose ids look like records": "test_redcap::test_patients_are_merged_over_events_and_arms",
    "the same record in several arms": "test_redcap::test_patients_are_merged_over_events_and_arms",
    "timestamps that read [not completed]": "test_redcap::"
    "test_every_row_is_accounted_for_and_the_rest_is_said",
    "form status that no dictionary lists": "test_redcap::test_blanks_with_a_reason_stay_apart",
    "blank repeat columns on parent rows, repeats within an event": "test_redcap_offices::"
    "test_every_field_that_can_be_told_is_read",
    "boxes as f___code, letters and negative codes": "test_redcap::test_ticked_boxes_are_events_and_levels",
    "an unanswered box is 0": "test_redcap::test_an_unanswered_box_is_not_a_no",
    "both spellings of the dictionary": "test_redcap::test_dictionaries_in_both_spellings",
    "both spellings read a whole project alike": "test_redcap_offices::"
    "test_labels_and_the_other_spelling_of_the_dictionary_give_the_same",
    "choices with commas and bars in labels": "test_redcap_offices::test_a_bar_within_a_label_ends_no_choice",
    "sliders without codes, formulas of calculated fields": "test_redcap::test_choices_in_every_writing",
    "decimal commas where declared, points elsewhere": "test_redcap::"
    "test_decimal_commas_where_declared_and_missing_codes",
    "codes for no answer are per project": "test_redcap_offices::test_every_field_that_can_be_told_is_read",
    "newlines in cells, [document], letters of other scripts": "test_redcap::"
    "test_free_text_and_names_stay_outside",
    "an export of one byte": "test_redcap::test_a_zero_row_export_is_an_empty_cohort",
    "labels instead of codes": "test_redcap::test_labels_instead_of_codes_and_of_names_give_the_same",
    # OMOP
    "names of tables in either case, with a prefix": "test_omop::test_names_of_tables",
    "stray blanks in headers and padded source values": "test_omop::"
    "test_concepts_parquet_stray_blanks_and_own_codes",
    "a zip with __MACOSX, tables of headers only": "test_traps::"
    "test_a_zip_of_a_database_with_rubbish_and_header_only_tables",
    "negative ids of 64 bits": "test_omop::test_ids_that_floats_confuse_stay_apart_and_only_members_enter",
    "dates shifted to the 2100s, births without month or day": "test_omop::"
    "test_ids_that_floats_confuse_stay_apart_and_only_members_enter",
    "versions 5.3 and 5.4": "test_hand_made::test_versions_of_a_database_give_the_same_cohort",
    "NULL as text, eras for diagnoses, vocabularies with lone quotes": "test_statistical_offices::"
    "test_an_old_database_with_eras_for_diagnoses_and_words_for_nothing",
    "a concept table or none, any backend": "test_omop::test_a_database_and_a_zip_give_the_same_cohort",
    # flat tables
    "separators and encodings": "test_reading_files::test_every_dialect_gives_the_same_cells",
    "title rows, repeated headers, footers": "test_reading_files::"
    "test_titles_blanks_repeated_headers_and_footers_are_counted",
    "the same at the end of large files": "test_changing_files::test_large_files_end_as_small_ones_do",
    "units in headers, commas, groups of thousands": "test_traps::test_a_spreadsheet_with_everything_at_once",
    "merged titles, several sheets, serial dates": "test_hand_made::"
    "test_a_workbook_with_two_rows_of_headings_serial_dates_and_totals",
    "dates in any order, with months as words": "test_offices::"
    "test_the_order_of_dates_is_told_by_those_that_can_only_be_one",
    "headers in other languages": "test_offices::test_headers_in_several_languages",
    "labels that sas7bdat and xpt do not carry, names in capitals": "test_statistical_offices::"
    "test_transport_files_of_a_trial_without_a_mapping",
    "letters for missing values in Stata": "test_statistical_offices::"
    "test_a_stata_file_with_letters_dates_and_a_column_named_female",
    "missing ranges of SPSS": "test_statistical_offices::"
    "test_a_german_spss_file_with_labels_and_missing_ranges",
    "multiple-response sets of SPSS": "test_traps::"
    "test_multiple_response_sets_of_spss_are_read_as_their_columns",
    "CNSR 0 is the event, partial ISO dates": "test_traps::test_transport_files_of_trials",
    "two columns for the same": "test_offices::test_a_second_column_for_the_same_is_said",
    "a file that changes while it is read": "test_changing_files::"
    "test_a_file_that_grows_while_it_is_read_is_refused",
}  # fmt: skip


@pytest.mark.parametrize("trap", TESTED)
def test_a_trap_is_held_by_the_test_it_names(trap):
    module, name = TESTED[trap].split("::")
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


LEVELS = {
    "T12": "T12", "Th12": "T12", "TH12": "T12", "D12": "T12", "d-12": "T12", "BWK12": "T12", "BWK 12": "T12",
    "L1": "L1", "LWK1": "L1", "lumbar 1": "L1", "L1, L3": "L1 L3", "T11-L1": "L1 T11 T12", "T12/L1": "L1 T12",
    "LWK 1 + LWK 2": "L1 L2", "BWK 11/12": "T11 T12", "L1 et L2": "L1 L2", "L1 und L3": "L1 L3",
}  # fmt: skip


@pytest.fixture(scope="module")
def levels(tmp_path_factory):
    """The levels of each patient, who was the n-th way of writing some; nothing is refused."""
    path = tmp_path_factory.mktemp("levels") / "t.csv"
    lines = [f'{place};VP;{50 + place};"{text}"' for place, text in enumerate(LEVELS)]
    path.write_text("\n".join(["patient_id;treatment;age;level", *lines]) + "\n")
    cohort = load(path, key=KEY)
    assert cohort.rejects.empty
    people = cohort.frame("levels").merge(cohort.frame("patients"), on="patient_id")
    return people.groupby("age_years")["level"].agg(lambda found: " ".join(sorted(found)))


@pytest.mark.parametrize("written", LEVELS)
def test_levels_as_they_are_written(levels, written):
    assert levels[50 + list(LEVELS).index(written)] == LEVELS[written]


NUMBERS = {
    "1.234,5": (",", "."), "1,234.5": (".", ","), "1 234,5": (",", " "), "1'234.5": (".", "'"),
    "1\N{NARROW NO-BREAK SPACE}234,5": (",", " "), "1\N{NO-BREAK SPACE}234,5": (",", ""),
    "1234,5": (",", ""), "1234.5": (".", ""),
}  # fmt: skip


@pytest.mark.parametrize("written", NUMBERS)
def test_groups_of_thousands_in_every_writing(written):
    import ibis

    decimal, thousands = NUMBERS[written]
    cell = Cell("t", decimal=decimal, thousands=thousands)
    table = ibis.memtable({"t": [written]})
    column = STAGED["episodes"]["cement_ml"]
    parsed = parse(table.t, STAGED["scores"]["value"], cell, Setting())
    assert column.type == "float"
    assert embedded_engine().to_pyarrow(table.select(v=parsed.value))["v"].to_pylist() == [1234.5]
    if "\N{NO-BREAK SPACE}" not in written:
        assert is_number(written)
        said = decimal_of([written])
        assert (said.get("decimal", "."), said.get("thousands", "")) == (decimal, thousands)


DATES = {
    "2019-02-04": ["2019-02-04", "2019-02-20"], "day first": ["04.02.2019", "20.02.2019"],
    "two digits": ["04.02.19", "20.02.19"], "month first": ["02/04/2019", "02/20/2019"],
    "serial": ["43500", "43516"], "compact": ["20190204", "20190220"], "SAS": ["04FEB2019", "20FEB2019"],
    "French": ["4 févr. 2019", "20 févr. 2019"], "German": ["4. Februar 2019", "20. Februar 2019"],
    "American": ["Feb 4, 2019", "Feb 20, 2019"], "with a time": ["2019-02-04 10:15:00", "2019-02-20T08:00"],
    "dashes": ["4-Feb-19", "20-Feb-19"], "mixed sheet": ["43500", "20.02.2019"],
}  # fmt: skip


@pytest.mark.parametrize("way", DATES)
def test_dates_as_they_are_written(tmp_path, way):
    one, two = DATES[way]
    path = tmp_path / "t.csv"
    path.write_text(f"patient_id;treatment;OP-Datum\n1;VP;{one}\n2;KP;{two}\n", encoding="utf-8")
    episodes = load(path, key=KEY, keep_dates=True).frame("episodes")
    dates = sorted(episodes["treatment_date"].astype(str))
    assert dates == ["2019-02-04", "2019-02-20"]


ANSWERS = {
    "J/N": ("J", "N"), "Ja/Nein": ("Ja", "Nein"), "1/0": ("1", "0"), "oui/non": ("oui", "non"),
    "TRUE/FALSE": ("TRUE", "FALSE"), "yes/no": ("YES", "no"), "vorhanden": ("vorhanden", "nicht vorhanden"),
    "current/never": ("current smoker", "never"),
}  # fmt: skip


@pytest.mark.parametrize("way", ANSWERS)
def test_yes_and_no_as_they_are_written(tmp_path, way):
    yes, no = ANSWERS[way]
    path = tmp_path / "t.csv"
    path.write_text(f"patient_id,age,smoker\n1,70,{yes}\n2,71,{no}\n3,72,\n")
    patients = load(path, key=KEY).frame("patients").set_index("age_years")["smoker"]
    assert patients[70]
    assert not patients[71]
    assert patients.isna().tolist().count(True) == 1


def test_one_and_two_for_yes_and_no_cannot_be_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("patient_id,age,smoker\n1,70,1\n2,71,2\n")
    cohort = load(path, key=KEY)
    assert cohort.frame("patients")["smoker"].isna().all()
    assert cohort.unmapped["column"].tolist() == ["smoker"]
    assert cohort.unmapped["reason"].str.contains("perhaps patients.smoker").all()


WRONG_ENDINGS = {
    b"PK\x03\x04rest": "a workbook or zip", b"\xd0\xcf\x11\xe0\xa1\xb1": "a workbook of old Excel",
    bytes(range(1, 250)): "no text", b"{\\rtf1 text": "a text document",
    b"%PDF-1.4": "a PDF", b"\xef\xbb\xbf<html>": "a web page or XML", b"RDX3\nX": "data of R",
}  # fmt: skip


@pytest.mark.parametrize("content", WRONG_ENDINGS)
def test_files_that_are_not_what_they_are_called(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=WRONG_ENDINGS[content]):
        load(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1", "locked with a password.*save it without password"),
        ("t.ods", b"PK\x03\x04rest", "save it as .xlsx or CSV"),
        ("t.xlsb", b"PK\x03\x04rest", "save it as .xlsx or CSV"),
    ],
)
def test_workbooks_that_cannot_be_opened_say_what_to_do(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LoadError, match=f"(?s){said}"):
        load(path)


@pytest.mark.parametrize(
    "left_out",
    ["measurement.csv", "death.csv"]
    + [pytest.param(n, marks=pytest.mark.slow) for n in ("observation_period.csv", "note.csv")],
)
def test_tables_of_a_database_that_may_be_missing(tmp_path, left_out):
    for name, text in SAMPLE.items():
        if name != left_out:
            (tmp_path / name).write_text(text)
    cohort = load(tmp_path, key=KEY)
    assert sorted(cohort.frame("episodes")["treatment"]) == ["KP", "NSM"]
    account = cohort.accounting
    assert (
        account.rows_in == account.rows_used + account.rows_rejected + account.rows_ignored
    ).all()
