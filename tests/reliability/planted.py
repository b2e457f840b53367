"""Names, birth dates, record numbers and sentences planted in an export, and the search for them."""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

NAME = "Quackenbush Zebulon"
TEXT = "lives in Xylophonweg since Whitsun, phones daily"
BIRTHS = ("17.03.1931", "1931-03-17", "03/17/1931")
SHORT_NAME = "ößüé"  # four letters; eight bytes, so that no compressed file holds them by chance
LATE_BIRTHS = ("17.03.91", "1991-03-17", "03/17/91")
WORDS = (
    *NAME.split(), "Xylophonweg", "Whitsun", "phones daily", *BIRTHS, "19310317", "17MAR1931", "17-Mar-1931",
    SHORT_NAME, json.dumps(SHORT_NAME)[1:-1], *LATE_BIRTHS, "17.03.1991", "19910317",
    "880500",  # the record numbers, as numbers and inside MRN-880500...
)  # fmt: skip
PATIENT = {"PatNr", "record_id", "person_id", "Patient ID", "patnr"}
# A hospital is named by its column; the shape of a project is not the patient's.
LEFT_ALONE = {
    "Klinik", "Hospital", "site", "redcap_data_access_group", "redcap_event_name", "synthetic",
    "redcap_repeat_instrument", "redcap_repeat_instance", "care_site_id",
}  # fmt: skip


def record_number(text: str) -> str:
    """The number of a patient in the records; OMOP knows whole numbers only."""
    return f"880500{int(float(text)):04d}"


def plant(folder: Path) -> int:
    """Put identifiers into every file of an export; how many cells now hold one."""
    cells = 0
    for path in sorted(folder.iterdir()):
        if path.name in {"SOURCE.md", "_injected_errors.csv"}:
            path.unlink()
        elif path.name == "mapping.toml":
            path.write_text(path.read_text("utf-8").replace("synthetic = true", ""), "utf-8")
        elif "Dictionary" in path.name or path.name in {"care_site.csv", "cdm_source.csv"}:
            continue
        elif path.suffix == ".csv":
            cells += _plant_text(path)
        elif path.suffix == ".xlsx":
            cells += _plant_workbook(path)
        else:
            cells += _plant_labelled(path)
    return cells


def _rows_with_plants(rows: list[list[Any]], *, record: str = "{}") -> int:
    """Change rows below a header in place: record numbers, a name, a birth date and a text per column,
    and three columns that nobody maps."""
    header, cells = rows[0], 0
    rows[0] = [("source" if name == "synthetic" else name) for name in header]
    for i, row in enumerate(rows[1:]):
        for j, name in enumerate(header):
            if name in PATIENT and row[j] not in ("", None):
                row[j] = record.format(record_number(str(row[j])))
                cells += 1
            elif name not in LEFT_ALONE and 5 + 3 * j <= i < 8 + 3 * j:
                row[j] = (NAME, TEXT, BIRTHS[j % 3])[i - 5 - 3 * j]
                cells += 1
            elif name not in LEFT_ALONE and 0 < len(rows) - i - 2 * j <= 2 and i > 8 + 3 * j:
                row[j] = (SHORT_NAME, LATE_BIRTHS[j % 3])[len(rows) - i - 2 * j - 1]
                cells += 1
        row += [NAME, BIRTHS[i % 3], TEXT]
        cells += 3
    rows[0] += ["surname", "date of birth", "remarks"]
    return cells


def _plant_text(path: Path) -> int:
    data = path.read_bytes()
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = data.decode(encoding)
    separator = max(";,\t", key=text.split("\n", 1)[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    whole_numbers = "person_id" in rows[0]
    cells = _rows_with_plants(rows, record="{}" if whole_numbers else "MRN-{}")
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return cells


def _plant_workbook(path: Path) -> int:
    import openpyxl

    book, cells = openpyxl.load_workbook(path), 0
    for sheet in book:
        values = [list(row) for row in sheet.iter_rows(values_only=True)]
        top = next(i for i, row in enumerate(values) if row[0] == "Patient ID")
        rows = [row for row in values[top:] if any(cell is not None for cell in row)]
        cells += _rows_with_plants(rows, record="MRN-{}")
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                sheet.cell(top + 1 + i, j + 1).value = value
    book.properties.creator = NAME
    book.properties.lastModifiedBy = NAME
    book.save(path)
    return cells


def _plant_labelled(path: Path) -> int:
    """Stata and SPSS: identifiers as text, in columns of their own, in labels."""
    import pyreadstat

    stata = path.suffix == ".dta"
    frame, about = (pyreadstat.read_dta if stata else pyreadstat.read_sav)(str(path))
    frame["patnr"] = frame["patnr"].map(lambda text: f"MRN-{record_number(text)}")
    frame = frame.rename(columns={"synthetic": "source"})
    frame = frame.assign(surname=NAME, born_text=BIRTHS[1], born=date(1931, 3, 17), remarks=TEXT)
    if "level" in frame:
        frame.loc[frame.index[3:7], "level"] = [NAME, TEXT, SHORT_NAME, LATE_BIRTHS[0]]
    write = pyreadstat.write_dta if stata else pyreadstat.write_sav
    labels = {k: v for k, v in about.variable_value_labels.items() if k in frame}
    write(frame, str(path), variable_value_labels=labels, column_labels=[NAME] * frame.shape[1])
    return 5 * len(frame)


def found_in(folder: Path) -> Iterator[str]:
    """`file: word` for every planted word in any file below the folder, compressed parts unpacked."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for word in words_in(path.name, *_layers(path)):
            yield f"{path.relative_to(folder)}: {word}"


def words_in(*texts: str | bytes) -> list[str]:
    """The planted words in these texts."""
    whole = b"\n".join(t.encode("utf-8", "replace") if isinstance(t, str) else t for t in texts)
    return [word for word in WORDS if word.lower().encode() in whole.lower()]


def _layers(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    yield data.replace(b"\x00", b"")  # UTF-16
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        yield table.to_pandas().astype(str).to_csv().encode()
        yield repr(pq.read_metadata(path).metadata).encode()
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            yield from (book.read(name) for name in book.namelist())
    elif path.suffix == ".pdf":
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
            yield zlib.decompressobj().decompress(stream) if stream[:1] == b"\x78" else stream
