"""The files of a REDCap project: its records, and the one dictionary that says what they mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.files import files_of
from vertebro_outcomes.loaders.redcap_dictionary import (
    Field,
    fields_of,
    forms_by_place,
    is_dictionary,
    names_for_labels,
    plain_label,
)
from vertebro_outcomes.loaders.sources import LINE, Source, source_from_rows
from vertebro_outcomes.loaders.words import fold

HEADS: Final = ("redcap_event_name", "redcap_repeat_instrument", "redcap_data_access_group",
                "redcap_repeat_instance", "redcap_survey_identifier")  # fmt: skip
_KIND: Final = re.compile(r"(data[-_ ]*dictionary|dictionary|data|metadata|records)([-_ .]|$)")
MOST_LOOKED_AT, ROWS_LOOKED_AT = 200, 5000  # fields and rows that show codes or labels
Fields = Mapping[str, Field]


def open_project(engine: Any, path: Path) -> tuple[list[Source], dict[str, Field], list[Source]]:
    """Records, fields, and files beside them such as the dictionary (their rows are ignored)."""
    records: list[Source] = []
    dictionaries: list[tuple[Source, Fields]] = []
    beside = sorted(path.parent.glob("*.csv")) if path.is_file() else []
    for file in dict.fromkeys([*files_of(path), *beside]):
        if file.suffix.lower() not in (".csv", ".txt", ".tsv"):
            continue
        if not file.read_bytes()[:100].strip(b" \r\n\xef\xbb\xbf"):
            if file not in beside or file == path:
                records.append(source_from_rows(engine, file.name, header=[], rows=[], lines=[]))
            continue
        if file in beside and file != path and not is_dictionary(_header(file)):
            continue
        source = read_delimited(engine, file)
        if is_dictionary(source.columns):
            rows = source.data.order_by(LINE).to_pyarrow().to_pylist()
            dictionaries.append((source, fields_of(source.columns, rows)))
        else:
            records.append(source)
    fields = _fields_of_one_project(path.name, records, dictionaries)
    named = [_labelled(source, fields) for source in records]
    ours = [source for source in named if not source.columns or _holds_records(source, fields)]
    ours = ours or named
    others = [source for source in named if source not in ours]
    return ours, fields, [*(source for source, _ in dictionaries), *others]


def _fields_of_one_project(
    place: str, records: Sequence[Source], dictionaries: Sequence[tuple[Source, Fields]]
) -> dict[str, Field]:
    """All fields; where dictionaries give one code two meanings, those of the one that belongs here.

    Codes read with the dictionary of another project would be plausible and wrong.
    """
    whole = {name: field for _, fields in dictionaries for name, field in fields.items()}
    unlike = _unlike(dictionaries)
    if not unlike:
        return whole
    rows = [source for source in records if source.columns and _holds_records(source, whole)]
    chosen = {source.name: _dictionary_for(source, dictionaries) for source in rows}
    by_name = {source.name: fields for source, fields in dictionaries}
    found = set(chosen.values())
    if len(found) < 2 and None not in found:
        return dict(by_name[str(found.pop())]) if found else whole
    said = f"dictionaries {', '.join(by_name)} give codes of {', '.join(unlike[:5])} other meanings"
    problems = [Problem(place, said, "the records and the dictionary of one project")]
    if None in found:
        raise LoadError(place, problems, "keep only the dictionary that belongs to these records")
    problems += [
        Problem(name, f"goes with {own}", "records of one project") for name, own in chosen.items()
    ]
    raise LoadError(place, problems, "load each file of records by its own path")


def _unlike(dictionaries: Sequence[tuple[Source, Fields]]) -> list[str]:
    """Fields of which one code means different things."""
    labels: dict[tuple[str, str], set[str]] = {}
    for _, fields in dictionaries:
        for field in fields.values():
            for code, label in field.choices.items():
                labels.setdefault((field.name, code), set()).add(fold(label))
    return list(dict.fromkeys(name for (name, _), said in labels.items() if len(said) > 1))


def _dictionary_for(source: Source, dictionaries: Sequence[tuple[Source, Fields]]) -> str | None:
    """The dictionary of the same project by its file name, else the one that knows most columns."""
    own = [known.name for known, _ in dictionaries if _project(known.name) == _project(source.name)]
    if own:
        return own[0] if len(own) == 1 else None
    columns = set(source.columns)
    known = {
        name.name: sum(bool(columns & set(field.columns)) for field in fields.values())
        for name, fields in dictionaries
    }
    most = [name for name, n in known.items() if n == max(known.values())]
    return most[0] if len(most) == 1 else None


def _project(file: str) -> str:
    """`SpineReg_DATA_2021-03-04.csv` -> `spinereg`."""
    stem = file.lower().rsplit(".", 1)[0]
    found = _KIND.search(stem)
    return stem[: found.start()].rstrip("-_ ") if found else stem


def _holds_records(source: Source, fields: Mapping[str, Field]) -> bool:
    """Files of arms, events or users lie beside the records; they start with no record id."""
    first = next(iter(fields), None)
    if first is not None and first in source.columns:
        return True
    return any(c in HEADS or c.endswith("_complete") for c in source.columns)


def _header(file: Path) -> list[str]:
    with file.open("rb") as stream:
        head = stream.read(20_000).decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    return [title.strip().strip('"') for title in head.split('","' if '","' in head else ",")]


def _holds_labels(data: Any, codes: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the cells of coded fields hold labels: `1` may then be the label of another code."""
    coded = [name for name, said in codes.items() if set(said) != set(said.values())][
        :MOST_LOOKED_AT
    ]
    if not coded:
        return False
    cells = data.select(*coded).limit(ROWS_LOOKED_AT).to_pyarrow()
    found = [(v, codes[name]) for name in coded for v in cells[name].unique().to_pylist() if v]
    labels = sum(plain_label(v) in said.values() and v not in said for v, said in found)
    return labels > sum(v in said and v not in said.values() for v, said in found)


def _labelled(source: Source, fields: Mapping[str, Field]) -> Source:
    """Field names instead of labels as headers, and labels and choices beside each column."""
    renamed = names_for_labels(source.columns, fields)
    renamed = {old: new for old, new in renamed.items() if new not in source.columns}
    data = (
        source.data.rename({new: old for old, new in renamed.items()}) if renamed else source.data
    )
    present = set(data.columns)
    labels = {f.name: f.label for f in fields.values() if f.name in present and f.label}
    codes = {f.name: dict(f.choices) for f in fields.values() if f.name in present and f.choices}
    if _holds_labels(data, codes):
        codes = {n: {**said, **{v: v for v in said.values()}} for n, said in codes.items()}
    forms = {c: f.form for f in fields.values() for c in f.columns if c in present and f.form}
    forms = forms or forms_by_place([column for column in data.columns if column != LINE])
    return replace(source, data=data, labels=labels, codes=codes, forms=forms)
