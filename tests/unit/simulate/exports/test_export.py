"""What is exported is read back cell by cell; what is spoiled is found, and nothing else."""

import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests.truth_and_load import KEY, as_loaded, assert_same, in_order, two_episodes
from vertebro_outcomes.errors import InputError
from vertebro_outcomes.loaders.codes import code_sets, plain_code
from vertebro_outcomes.simulate.exports import omop_codes
from vertebro_outcomes.simulate.exports.dirt import KINDS
from vertebro_outcomes.simulate.exports.export import export_formats, export_registry
from vertebro_outcomes.simulate.exports.score import score_load
from vertebro_outcomes.spine import LEVELS

FORMATS = export_formats()
USUAL = ("csv", "omop", "redcap")


@pytest.fixture(scope="module")
def truth():
    return two_episodes(n_patients=150, seed=4)


@pytest.fixture(scope="module")
def single():
    return vo.simulate_registry(n_patients=150, seed=5)[0]


def test_the_formats_are_all_there():
    assert set(FORMATS) >= {"csv", "excel", "omop", "redcap", "spss", "stata"}
    for name, form in FORMATS.items():
        assert form.name == name
        assert form.meaning


@pytest.mark.parametrize("name", FORMATS)
def test_one_truth_comes_back_from_every_format(truth, tmp_path, name):
    export_registry(truth, tmp_path / "clinic", format=name)
    loaded = vo.load(tmp_path / "clinic", key=KEY)
    assert loaded.rejects.empty
    assert set(loaded.unmapped["column"]) <= {"remarks", ""}  # free text; the table of visits
    assert loaded.synthetic
    assert (loaded.frame("episodes")["patient_id"].value_counts() == 2).sum() == 15
    assert_same(truth, loaded)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in USUAL else pytest.mark.slow) for n in FORMATS]
)
def test_every_injected_error_is_found_and_nothing_else_is_refused(single, tmp_path, name):
    errors = export_registry(single, tmp_path / "clinic", format=name, dirt=True, seed=3)
    assert set(errors["kind"]) == set(KINDS)
    score = score_load(vo.load(tmp_path / "clinic", key=KEY), errors)
    assert score.is_perfect, f"{score.missed}\n{score.falsely_refused}"
    listed = pd.read_csv(tmp_path / "clinic" / "_injected_errors.csv", dtype={"line": int})
    assert list(listed["line"]) == list(errors["line"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("name", FORMATS)
def test_more_seeds(tmp_path, name, seed):  # seed 12 has new fractures before procedures
    cohort, _ = vo.simulate_registry(n_patients=200, seed=seed, scenario="immortal_time")
    export_registry(cohort, tmp_path / "clean", format=name, seed=seed)
    assert_same(cohort, vo.load(tmp_path / "clean", key=KEY))
    errors = export_registry(cohort, tmp_path / "dirty", format=name, dirt=True, seed=seed)
    assert score_load(vo.load(tmp_path / "dirty", key=KEY), errors).is_perfect


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_spellings_are_understood(single, tmp_path, name):
    errors = export_registry(single, tmp_path / "clinic", format=name, dirt="level_spellings")
    assert set(errors["expected"]) == {"read"}
    assert_same(single, vo.load(tmp_path / "clinic", key=KEY))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_seed_gives_the_same_bytes(single, tmp_path, name):
    for place in ("a", "b"):
        export_registry(single, tmp_path / place, format=name, dirt=True, seed=2)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) >= 3
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("name", ["csv", pytest.param("omop", marks=pytest.mark.slow)])
def test_the_mark_stays_without_mapping_and_note(single, tmp_path, name):
    """A user may leave the mapping and the note behind: the data themselves carry the mark."""
    export_registry(single, tmp_path / "clinic", format=name)
    mapping = (tmp_path / "clinic" / "mapping.toml").read_text().replace("synthetic = true", "")
    (tmp_path / "clinic" / "SOURCE.md").unlink()
    (tmp_path / "clinic" / "mapping.toml").write_text(mapping)
    loaded = vo.load(tmp_path / "clinic")
    assert loaded.synthetic
    kept = loaded.keep(loaded.patients.age_years > 70, because="older than 70")
    assert vo.load(kept.write(tmp_path / "out")).synthetic


def test_a_score_counts_what_was_missed_and_what_was_refused_wrongly(single, tmp_path):
    errors = export_registry(single, tmp_path / "clinic", dirt=["mixed_units", "level_spellings"])
    loaded = vo.load(tmp_path / "clinic")
    wrong = errors.assign(line=errors["line"].where(errors.index > 0, 9999))
    score = score_load(loaded, wrong)
    assert not score.is_perfect
    refused = errors["expected"] == "refused"
    n = int(refused[0])
    assert (len(score.missed), len(score.falsely_refused)) == (n, n)
    table = score.to_frame().set_index("kind")
    assert table["injected"].sum() == len(errors)
    assert "missed" in str(score)
    with pytest.raises(InputError, match="errors"):
        score_load(loaded, errors.drop(columns="line"))


def test_wrong_requests_are_refused(single, tmp_path):
    real = vo.Cohort.from_frames(**{name: single.frame(name) for name in vo.TABLES})
    with pytest.raises(InputError, match="not synthetic"):
        export_registry(real, tmp_path / "x")
    for wrong, said in (
        ({"format": "sas"}, "csv"),
        ({"dirt": ["mud"]}, "mixed_units"),
        ({"seed": -1}, "whole number"),
    ):
        with pytest.raises(InputError, match=said):
            export_registry(single, tmp_path / "x", **wrong)
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        export_registry(single, tmp_path / "y")
    assert (tmp_path / "y" / "mine.txt").read_text() == "mine"


def test_the_codes_of_the_export_are_listed_codes():
    """Every code of the invented database has the meaning that the code list gives it."""
    listed = code_sets()
    for (treatment, _), code in omop_codes.PROCEDURES.items():
        assert listed.procedures[plain_code(code)] == treatment
    assert {plain_code(code) for code in omop_codes.FRACTURES.values()} <= listed.fractures
    assert set(omop_codes.FRACTURES) == set(LEVELS)
    assert listed.scores[plain_code(omop_codes.PAIN_VAS)] == "pain_vas"


def test_dates_that_cannot_be_are_listed_for_coded_rows_of_a_database(single, tmp_path):
    export_registry(single, tmp_path / "cdm", format="omop")
    path = tmp_path / "cdm" / "procedure_occurrence.csv"
    lines = path.read_text().splitlines()
    place = lines[0].split(",").index("procedure_date")
    cells = lines[3].split(",")
    cells[place] = "2016-13-41"
    path.write_text("\n".join([*lines[:3], ",".join(cells), *lines[4:]]) + "\n")
    found = vo.load(tmp_path / "cdm").rejects
    assert found[["source_file", "line", "column", "rule"]].to_numpy().tolist() == [
        ["procedure_occurrence.csv", 4, "procedure_date", "no such date"]
    ]


@pytest.mark.parametrize("name", ["csv", "omop"])
def test_a_cohort_with_little_in_it(tmp_path, name):
    """Two patients, one of them with nothing but a day 0: what is there comes back."""
    bare = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ["x", "y"], "sex": ["female", "male"]}),
        episodes=pd.DataFrame(
            {
                "patient_id": ["x", "y"],
                "treatment": ["VP", "NSM"],
                "day0": ["treatment", "given"],
                "treatment_day": [0, None],
                "followup_end_day": [3, 9],
                "index_year": [2013, 2031],
            }
        ),
        scores=pd.DataFrame(
            {
                "patient_id": ["x", "y"],
                "instrument": ["pain_nrs"] * 2,
                "day": [0, 7],
                "value": [3.0, 4.0],
            }
        ),
        synthetic=True,
    )
    export_registry(bare, tmp_path / "clinic", format=name)
    loaded = vo.load(tmp_path / "clinic", key=KEY)
    assert loaded.rejects.empty
    expected = as_loaded(bare)
    for table in ("patients", "episodes", "scores"):
        pd.testing.assert_frame_equal(in_order(loaded.frame(table)), expected[table])
    errors = export_registry(bare, tmp_path / "clinic", format=name, dirt=True)
    assert len(errors) <= 2  # one error per patient at most


def test_text_that_begins_like_a_formula_stays_text_in_a_workbook(tmp_path):
    import openpyxl

    cohort, _ = vo.simulate_registry(n_patients=12, seed=1)
    names = ("patients", "episodes", "levels", "scores", "events", "fractures")
    frames = {name: cohort.frame(name) for name in names}
    frames["patients"] = frames["patients"].assign(site="=1+1")
    hostile = vo.Cohort.from_frames(**frames, synthetic=True)
    vo.export_registry(hostile, tmp_path / "out", format="excel")
    book = openpyxl.load_workbook(tmp_path / "out" / "registry.xlsx")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert "=1+1" in {cell.value for cell in cells}
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
