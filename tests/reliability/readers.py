"""Readers with broken files made for them, by the name under which their tries are counted."""

import math
import random
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyreadstat

import vertebro_outcomes as vo
from tests.reliability.mutations import NASTY, damaged
from tests.rm5_files import data_line, outcome, review
from tests.unit.loaders.reviews.packages import package, zipped
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.device_reports import read_device_reports
from vertebro_outcomes.loaders.files import read_file
from vertebro_outcomes.loaders.large_files import read_large
from vertebro_outcomes.loaders.literature import load_literature
from vertebro_outcomes.loaders.load import formats, load
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.redcap_dictionary import fields_of, is_dictionary, parse_choices
from vertebro_outcomes.loaders.registries.redcap import SAMPLE_DICTIONARY
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.tables.engine import embedded_engine

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


def accounted(source) -> None:
    """The rows that are there are those that were counted."""
    n = source.data.count().to_pyarrow().as_py()
    assert n == source.n_rows
    assert source.rows_in == n + len(source.refused) + sum(source.set_aside.values())


def read_text(reader: Callable[..., object]) -> Callable[[random.Random, Path], None]:
    def read(draws: random.Random, folder: Path) -> None:
        path = folder / "table.csv"
        path.write_bytes(damaged(sample("table.csv"), draws))
        source = settled(reader, ENGINE, path)
        if source is not None:
            accounted(source)

    return read


def read_binary(kind: str) -> Callable[[random.Random, Path], None]:
    def read(draws: random.Random, folder: Path) -> None:
        chosen = draws.choice([k for k in ("sav", "dta") if kind == "statistics"] or [kind])
        path = folder / f"table.{chosen}"
        path.write_bytes(damaged(sample(path.name), draws))
        for source in settled(read_file, ENGINE, path) or ():
            accounted(source)

    return read


def read_dictionary(draws: random.Random, folder: Path) -> None:
    path = folder / "dictionary.csv"
    path.write_bytes(damaged(SAMPLE_DICTIONARY.encode(), draws))
    source = settled(read_delimited, ENGINE, path)
    if source is not None and is_dictionary(source.columns):
        fields = fields_of(source.columns, source.data.order_by(LINE).to_pyarrow().to_pylist())
        assert len(fields) <= source.n_rows
        assert all(name and name == field.name for name, field in fields.items())


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


def export_of(name: str, draws: random.Random, folder: Path) -> Path:
    """The small export of a format with one of its files damaged."""
    path = formats()[name].sample(folder)
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    chosen = draws.choice(files)
    chosen.write_bytes(damaged(chosen.read_bytes(), draws))
    return path


def read_an_export(name: str) -> Callable[[random.Random, Path], None]:
    """Recognised, opened, and its columns understood: by its mapping or by what they look like."""

    def read(draws: random.Random, folder: Path) -> None:
        path = export_of(name, draws, folder)
        sure = settled(formats()[name].recognises, path)
        assert sure is None or 0 <= sure <= 1
        export = settled(formats()[name].read, ENGINE, path, None) if sure is not None else None
        for source in export.sources if export else ():
            accounted(source)

    return read


def load_an_export(name: str) -> Callable[[random.Random, Path], None]:
    """The whole way to a cohort."""

    def read(draws: random.Random, folder: Path) -> None:
        path = export_of(name, draws, folder)
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
        SAMPLES.update(binaries())
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


def binaries() -> dict[str, bytes]:
    """A small table in the formats of Excel and of statistics programs."""
    frame = pd.DataFrame(
        {"Pat": list("abcdef"), "VAS": [1.5, 2, 3, 4, 5, None], "Ort": [*"uvwxyz"]}
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        frame.to_excel(folder / "table.xlsx", index=False)
        pyreadstat.write_sav(frame, str(folder / "table.sav"))
        pyreadstat.write_dta(frame, str(folder / "table.dta"))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


class Reader(NamedTuple):
    """How a damaged file is made and read, and the inputs of the long run and of the usual one."""

    read: Callable[[random.Random, Path], None]
    inputs: int
    usual: int = 0  # a fiftieth of the long run if not said

    def tried(self, *, long: bool) -> int:
        return self.inputs if long else self.usual or math.ceil(self.inputs / 50)


# A whole load takes a thousand times as long as a level.
SAMPLED = tuple(name for name, form in formats().items() if form.sample)
READERS = {
    **{f"{name}, loaded": Reader(load_an_export(name), 300, usual=1) for name in SAMPLED},
    "flat": Reader(read_an_export("flat"), 1000),
    "REDCap": Reader(read_an_export("redcap"), 500),
    "REDCap dictionary": Reader(read_dictionary, 1500),
    "OMOP": Reader(read_an_export("omop"), 200),
    "Excel": Reader(read_binary("xlsx"), 1000),
    "SPSS and Stata": Reader(read_binary("statistics"), 1500),
    "CSV, large": Reader(read_text(read_large), 500),
    "levels": Reader(read_a_level, 30_000),
    "REDCap dictionary, choices": Reader(read_choices, 15_000),
    "mapping TOML": Reader(read_a_mapping, 13_000),
    "CSV dialects": Reader(read_text(read_delimited), 13_500),
    "rm5": Reader(read_rm5, 14_000),
    "zip of RevMan": Reader(read_package, 7000),
    "device reports": Reader(read_reports, 6000),
    "literature sheets": Reader(read_a_sheet, 750),
}
