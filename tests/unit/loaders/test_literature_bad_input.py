"""A damaged sheet is refused once, with file, line, column, what was found and what is allowed."""

import shutil
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES

SHEETS = Path(__file__).parents[3] / "data" / "raw" / "literature"


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "literature"
    shutil.copytree(SHEETS, copy)
    return copy


def change(folder, name, line, old, new):
    path = folder / f"{name}.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")


def problems(folder):
    with pytest.raises(vo.LoadError) as caught:
        vo.load_literature(folder)
    assert "Next: " in str(caught.value)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", LITERATURE_TABLES)
def test_a_missing_file(folder, name):
    (folder / f"{name}.csv").unlink()
    [problem] = problems(folder)
    assert problem.startswith(f"{name}.csv: no such file; allowed: the sheet {name}.csv in ")


@pytest.mark.parametrize(
    ("name", "line", "old", "new", "expected"),
    [
        ("contrasts", 6, ",0.7,", ",0.7x,", "line 6, column estimate: '0.7x'; allowed: a number"),
        ("contrasts", 6, ",0.7,", ',"0,7",', "line 6, column estimate: '0,7'; allowed: a number"),
        ("contrasts", 6, ",0.19,", ",ns,", "line 6, column p_value: 'ns'; allowed: text like 0.04"),
        ("contrasts", 6, "VP,S", "VX,S", "line 6, column treatment: unknown treatment 'VX'; allowed: VP, KP"),
        ("contrasts", 6, "SHAM", "smoking", "line 6, column comparator: unknown treatment 'smoking'"),
        ("contrasts", 6, ",MD,", ",WMD,", "line 6, column measure: 'WMD'; allowed: OR, RR"),
        ("contrasts", 6, "c_minus_t", "c_t", "line 6, column direction: 'c_t'; allowed: t_minus_c"),
        ("contrasts", 6, "pain_nrs", "pain_nsr", "line 6, column outcome: 'pain_nsr'; allowed: a name of"),
        ("contrasts", 6, "pain_nrs", "pain_nsr", "OUTCOMES (near: pain_nrs"),
        ("contrasts", 6, "kallmes2009", "kalmes2009", "studies.csv (near: kallmes2009"),
        ("contrasts", 6, "kallmes2009", "kalmes2009", "line 6, column study_id: 'kalmes2009'; allowed: a"),
        ("contrasts", 6, "kallmes2009", "", "line 6, column study_id: blank; allowed: text"),
        ("arm_binary", 9, ",1,63,", ",64,63,", "line 9, column events: 64 events; allowed: at most n, 63"),
        ("arm_binary", 9, ",1,63,", ",1.5,63,", "line 9, column events: '1.5'; allowed: a whole number"),
        ("arm_binary", 9, "SHAM", "Sham", "line 9, column arm: unknown treatment 'Sham'; allowed: VP"),
        ("arm_binary", 9, "patients", "people", "column unit: 'people'; allowed: patients, levels, leaks"),
        ("arm_continuous", 2, ",0,baseline", ",-1,baseline", "line 2, column timepoint_days: '-1'; allowed:"),
        ("studies", 3, "kroon2014", "buchbinder2009", "lines 2, 3, column study_id: 'buchbinder2009' stands"),
        ("studies", 3, ",buchbinder2009,", ",buch,", "line 3, column parent_study_id: 'buch'; allowed: a"),
        ("studies", 3, ",buchbinder2009,", ",kroon2014,", "parent_study_id: 'kroon2014' is its own ancestor"),
        ("studies", 3, "rct_sham", "rct", "line 3, column design: 'rct'; allowed: rct_sham, rct_open"),
        ("mcid", 2, ",1.5,", ",,", "line 2, column mcid: blank; allowed: a number"),
        ("codes", 3, "22511", "22510", "lines 2, 3, column system, code: 'CPT' '22510' stands more"),
    ],
)  # fmt: skip
def test_one_wrong_cell_is_one_message(folder, name, line, old, new, expected):
    change(folder, name, line, old, new)
    [problem] = problems(folder)
    assert expected in problem
    assert problem.startswith(f"{name}.csv")


def test_missing_and_unknown_columns(folder):
    change(folder, "arm_binary", 1, "events", "evnts")
    found = problems(folder)
    assert len(found) == 2
    assert found[0].startswith("arm_binary.csv, column events: missing; allowed: a column events")
    assert found[1] == "arm_binary.csv, column evnts: unknown column; allowed: did you mean events?"


def test_all_problems_come_together(folder):
    change(folder, "contrasts", 6, ",0.7,", ",x,")
    change(folder, "arm_binary", 9, "patients", "people")
    (folder / "codes.csv").unlink()
    assert len(problems(folder)) == 3


def test_a_row_with_too_many_fields(folder):
    change(folder, "mcid", 3, "blasco2012", "blasco2012,extra")
    [problem] = problems(folder)
    assert problem == "mcid.csv, line 3: 9 fields; allowed: 8 fields, as the header"


def test_a_file_that_is_no_utf8(folder):
    path = folder / "mcid.csv"
    path.write_bytes(path.read_bytes().replace(b"blasco", b"bl\xe4sco"))
    [problem] = problems(folder)
    assert problem.startswith("mcid.csv: byte 369 is not UTF-8 text")


def test_no_such_folder(tmp_path):
    with pytest.raises(vo.LoadError, match="no such folder"):
        vo.load_literature(tmp_path / "nowhere")


def test_an_unchanged_copy_loads_the_same(folder):
    ours, copy = vo.load_literature(), vo.load_literature(str(folder))
    for name, table in ours.tables.items():
        assert table.equals(copy.tables[name]), name


def test_the_working_directory_does_not_matter(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert len(vo.load_literature().studies) == 256


def test_a_new_technique_of_a_known_treatment_is_allowed(folder):
    change(folder, "arm_binary", 9, "SHAM", "VP_robot")
    row = vo.load_literature(folder).trace("arm_binary.csv:9")
    assert (row["arm"], row["arm_kind"]) == (None, "technique")


def test_a_unicode_minus_is_a_minus(folder):
    change(folder, "contrasts", 6, ",-0.3,", ",\N{MINUS SIGN}0.3,")
    row = vo.load_literature(folder).trace("contrasts.csv:6")
    assert row["ci_high"] == 0.3
    assert row["ci_low_printed"] == "\N{MINUS SIGN}0.3"


def test_a_correction_holds_only_for_the_number_it_was_written_for(folder):
    change(folder, "arm_continuous", 105, "0.33", "2.33")
    loaded = vo.load_literature(folder)
    row = loaded.trace("arm_continuous.csv:105")
    assert (row["sd"], row["sd_source"]) == (2.33, "printed_sd")
    assert "arm_continuous.csv:105" not in loaded.corrections["source_line"].tolist()
