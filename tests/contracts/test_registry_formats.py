"""What every registry format must obey, over all formats found."""

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.load import formats, load
from vertebro_outcomes.tables.checks import find_problems
from vertebro_outcomes.tables.cohort_tables import STORED

FORMATS = formats()
WITH_SAMPLE = [name for name, form in FORMATS.items() if form.sample is not None]


@pytest.fixture(scope="module", params=WITH_SAMPLE)
def loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    path = FORMATS[request.param].sample(folder)
    return request.param, path, load(path, key=b"a key for tests")


def test_the_formats_are_all_there():
    assert {"canonical", "flat", "omop", "redcap"} <= set(FORMATS)
    assert set(FORMATS) - set(WITH_SAMPLE) == {"canonical"}
    for name, form in FORMATS.items():
        assert form.name == name
        assert form.meaning


def test_each_recognises_its_own_sample_best(loaded):
    name, path, _ = loaded
    sure = {other: form.recognises(path) for other, form in FORMATS.items()}
    assert max(sure, key=lambda other: sure[other]) == name


def test_rows_in_are_the_sum(loaded):
    accounts = loaded[2].accounting
    gone = accounts["rows_rejected"] + accounts["rows_ignored"]
    assert (accounts["rows_in"] == accounts["rows_used"] + gone).all()
    assert accounts["rows_used"].sum() > 0


def test_what_comes_out_obeys_the_declaration(loaded):
    cohort = loaded[2]
    assert find_problems(cohort.tables) == []
    for name, declared in STORED.items():
        assert tuple(cohort.tables[name].columns) == declared.names
    assert len(cohort.frame("patients")) > 0


def test_rejects_name_file_and_line(loaded):
    cohort = loaded[2]
    assert list(cohort.rejects.columns) == ["source_file", "line", "column", "found", "rule"]
    assert set(cohort.rejects["source_file"]) <= set(cohort.accounting["source_file"])
    assert (cohort.rejects["line"] >= 1).all()


def test_identifiers_do_not_survive(loaded):
    ids = loaded[2].frame("patients")["patient_id"]
    assert ids.str.fullmatch(r"P[0-9a-f]{16}").all()


def test_loading_twice_gives_the_same(loaded):
    _, path, cohort = loaded
    again = vo.load(path, key=b"a key for tests")
    for name in STORED:
        assert again.frame(name).equals(cohort.frame(name))
    assert again.rejects.equals(cohort.rejects)


def test_the_round_trip_of_every_format(loaded, tmp_path):
    cohort = loaded[2]
    back = vo.load(cohort.write(tmp_path / "out"))
    for name in STORED:
        assert back.frame(name).equals(cohort.frame(name))
    assert back.inputs == cohort.inputs
