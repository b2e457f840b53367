"""Thousands of broken files: every reader answers with a right result or one of our messages.

2,000 inputs in the usual run, 100,000 in that of `pytest -m slow`; `VERTEBRO_FUZZ=2` doubles them.
"""

import math
import os
import shutil
from pathlib import Path

import pytest

from tests.reliability.mutations import draws_of
from tests.reliability.readers import MESSAGES, RAW, READERS, settled
from tests.reliability.tally import tally
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.loaders.literature import load_literature
from vertebro_outcomes.loaders.load import formats, load

LONG = float(os.environ.get("VERTEBRO_FUZZ", "1"))


def test_the_long_run_is_long():
    assert sum(reader.tried(long=True) for reader in READERS.values()) >= 100_000
    assert sum(reader.tried(long=False) for reader in READERS.values()) >= 2000
    assert {f"{name}, loaded" for name, form in formats().items() if form.sample} <= set(READERS)


def test_a_line_repeated_around_a_torn_one_is_read(tmp_path):
    path = formats()["flat"].sample(tmp_path)
    export = path if path.is_file() else next(path.rglob("verlauf.csv"))
    whole = export.read_bytes()
    export.write_bytes(
        whole[: whole.index(b"31.02") + 5] + b" 3 Monate\n" + whole.split(b"\n", 1)[1]
    )
    cohort = settled(load, path, key=b"a key for tests")
    assert cohort is None or (cohort.accounting["rows_in"] > 0).all()


def test_a_sheet_cut_short_is_refused_in_a_message_one_can_read(tmp_path):
    for path in (RAW / "literature").glob("*.csv"):
        shutil.copy(path, tmp_path)
    sheet = tmp_path / "studies.csv"
    sheet.write_bytes(b"\n".join(sheet.read_bytes().split(b"\n")[:3]))
    with pytest.raises(VertebroError, match=r"and [0-9]+ more problems") as refused:
        load_literature(tmp_path)
    assert len(str(refused.value)) < 20_000
    assert len(refused.value.problems) > 150


def run(name: str, inputs: int, folder: Path) -> None:
    read, defects = READERS[name].read, []
    MESSAGES.clear()
    for number, draws in enumerate(draws_of(name, inputs)):
        place = folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            read(draws, place)
        except Exception as error:
            error.add_note(f"reader {name}, input {number}")
            defects.append(error)
    if defects:
        raise ExceptionGroup(f"{name}: {len(defects)} inputs", defects)


@pytest.mark.parametrize("name", READERS)
def test_broken_files_get_a_result_or_a_message(name, tmp_path):
    run(name, READERS[name].tried(long=False), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_very_many_broken_files(name, tmp_path):
    inputs = math.ceil(LONG * READERS[name].tried(long=True))
    run(name, inputs, tmp_path)
    tally("broken files", name, inputs=inputs, refused=len(MESSAGES), result=inputs - len(MESSAGES))
