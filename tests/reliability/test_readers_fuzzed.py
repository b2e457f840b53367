"""Thousands of broken files: every reader answers with a right result or one of our messages.

2,000 inputs in the usual run; `VERTEBRO_FUZZ=100000 pytest -m slow` runs the long one.
"""

import os
import random
import shutil
import warnings
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from tests.reliability.mutations import NASTY, damaged, draws_of
from tests.reliability.tally import tally
from tests.rm5_files import data_line, outcome, review
from tests.unit.loaders.reviews.packages import package, zipped
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.device_reports import read_device_reports
from vertebro_outcomes.loaders.literature import load_literature
from vertebro_outcomes.loaders.load import formats, load
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.redcap_dictionary import parse_choices
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.tables.engine import embedded_engine

LONG = int(os.environ.get("VERTEBRO_FUZZ", "100000"))
RAW = Path(__file__).parents[2] / "data" / "raw"
MESSAGES: list[str] = []  # of the run of one reader


def settled(call, *arguments, **named):
    """The result, or None where one of our messages came; anything else is a defect."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = call(*arguments, **named)
        except VertebroError as error:
            MESSAGES.append(text := str(error))
            assert "Next" in text, text
            assert len(text) < 20_000
            return None
    return result


def read_a_level(draws: random.Random, folder: Path) -> None:
    parts = [
        "T12",
        "L1",
        "Th",
        "D",
        "BWK",
        "LWK",
        "-",
        "/",
        ",",
        " ",
        "lumbar",
        "1",
        "12",
        "to",
        "bis",
        *NASTY,
    ]
    text = "".join(draws.choice(parts) for _ in range(draws.randrange(1, 8)))
    found = settled(vo.parse_levels, text)
    assert found is None or all(vo.parse_level(level) == level for level in found)


def read_choices(draws: random.Random, folder: Path) -> None:
    text = damaged(b"1, one | 2, two|3,three, or more | -99, unknown", draws).decode(
        "utf-8", "replace"
    )
    codes = parse_choices(text)
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in codes.items())


def read_a_mapping(draws: random.Random, folder: Path) -> None:
    path = folder / "mapping.toml"
    path.write_bytes(damaged(sample("mapping.toml"), draws))
    settled(read_mapping, path)


def read_text(draws: random.Random, folder: Path) -> None:
    path = folder / "table.csv"
    path.write_bytes(damaged(sample("table.csv"), draws))
    source = settled(read_delimited, ENGINE, path)
    if source is not None:
        assert source.rows_in == source.n_rows + len(source.refused) + sum(
            source.set_aside.values()
        )


def read_rm5(draws: random.Random, folder: Path) -> None:
    path = folder / "review.rm5"
    path.write_bytes(damaged(sample("review.rm5"), draws))
    settled(read_review, path)


def read_package(draws: random.Random, folder: Path) -> None:
    path = folder / "package.zip"
    if draws.random() < 0.3:
        path.write_bytes(damaged(zipped(package()), draws))
    else:
        files = package()
        name = draws.choice(sorted(files))
        path.write_bytes(zipped({**files, name: damaged(files[name], draws)}))
    settled(read_review, path)


def read_reports(draws: random.Random, folder: Path) -> None:
    path = folder / "reports.csv"
    path.write_bytes(damaged(sample("reports.csv"), draws))
    settled(read_device_reports, path)


def read_a_sheet(draws: random.Random, folder: Path) -> None:
    sheets = sorted((RAW / "literature").glob("*.csv"))
    chosen = draws.choice(sheets)
    for path in sheets:
        data = path.read_bytes()
        (folder / path.name).write_bytes(damaged(data, draws) if path == chosen else data)
    settled(load_literature, folder)


def read_an_export(name: str):
    def read(draws: random.Random, folder: Path) -> None:
        path = formats()[name].sample(folder)
        files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
        chosen = draws.choice(files)
        chosen.write_bytes(damaged(chosen.read_bytes(), draws))
        cohort = settled(load, path, key=b"a key for tests", format=draws.choice(("auto", name)))
        if cohort is not None:
            accounts = cohort.accounting
            out = accounts["rows_used"] + accounts["rows_rejected"] + accounts["rows_ignored"]
            assert (accounts["rows_in"] == out).all()

    return read


ENGINE = embedded_engine()
SAMPLES: dict[str, bytes] = {}


def sample(name: str) -> bytes:
    """A good file of a kind, made once."""
    if not SAMPLES:
        row = {"e1": 3, "n1": 50, "e2": 5, "n2": 52}
        lines = [data_line("DICH", row, i) for i in range(3)]
        settings = {"METHOD": "MH", "EFFECT_MEASURE": "RR", "RANDOM": "YES", "TOTALS": "YES"}
        whole = outcome(
            "DICH", 1, settings, {"EFFECT_SIZE": 0.6, "CI_START": 0.3, "CI_END": 1.2}, lines
        )
        SAMPLES["review.rm5"] = review([whole], studies=3)
        SAMPLES["mapping.toml"] = next((RAW / "registries").rglob("mapping.toml")).read_bytes()
        SAMPLES["reports.csv"] = next((RAW / "device_reports").glob("*.csv")).read_bytes()[:6000]
        SAMPLES["table.csv"] = (
            "Pat;Datum;VAS (0-10);Höhe\n"
            + "".join(f"{i};0{i}.02.2019;{i},5;T1{i % 3}\n" for i in range(1, 9))
        ).encode()
    return SAMPLES[name]


# Reader, share of the inputs. A whole load takes a thousand times as long as a level.
READERS = {
    "levels": (read_a_level, 0.30), "choices": (read_choices, 0.15), "mapping": (read_a_mapping, 0.13),
    "text": (read_text, 0.135), "rm5": (read_rm5, 0.14), "package": (read_package, 0.07),
    "device reports": (read_reports, 0.06), "literature": (read_a_sheet, 0.0075),
    **{name: (read_an_export(name), 0.0025) for name, form in formats().items() if form.sample},
}  # fmt: skip


def test_the_shares_are_a_whole():
    assert sum(share for _, share in READERS.values()) == pytest.approx(1.0)
    assert {"flat", "omop", "redcap"} <= set(READERS)


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


def run(name: str, count: int, folder: Path) -> int:
    read, share = READERS[name]
    inputs = max(1, round(share * count))
    MESSAGES.clear()
    for number, draws in enumerate(draws_of(name, inputs)):
        place = folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            read(draws, place)
        except BaseException as error:
            error.add_note(f"reader {name}, input {number}")
            raise
    return inputs


@pytest.mark.parametrize("name", READERS)
def test_broken_files_get_a_result_or_a_message(name, tmp_path):
    run(name, 2000, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_very_many_broken_files(name, tmp_path):
    inputs = run(name, LONG, tmp_path)
    tally("broken files", name, inputs=inputs, refused=len(MESSAGES), result=inputs - len(MESSAGES))
