"""A hash of what a result says: tables, numbers, words, records of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def content_hash(value: Any) -> str:
    """SHA-256 of a value made of records, mappings, sequences, tables, arrays, numbers and words.

    Two values that would be printed differently have different hashes; floats count to the last bit.
    """
    sha = hashlib.sha256()
    _feed(sha, value)
    return sha.hexdigest()


def _feed(sha: Any, value: Any) -> None:
    if isinstance(value, pd.DataFrame):
        _frame(sha, value)
    elif isinstance(value, pd.Series):
        _frame(sha, value.to_frame(name=str(value.name)))
    elif isinstance(value, np.ndarray):
        _feed(sha, [str(value.dtype), value.shape, value.ravel().tolist()])
    elif is_dataclass(value) and not isinstance(value, type):
        _feed(sha, {f.name: getattr(value, f.name) for f in fields(value)})
        sha.update(type(value).__name__.encode())
    elif isinstance(value, Mapping):
        _feed(sha, [(key, item) for key, item in value.items()])
    elif isinstance(value, set | frozenset):
        _feed(sha, sorted(map(repr, value)))
    elif isinstance(value, list | tuple):
        sha.update(f"[{len(value)}".encode())
        for item in value:
            _feed(sha, item)
    else:
        _scalar(sha, value)


def _scalar(sha: Any, value: Any) -> None:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, Path):
        plain = plain.name  # where a folder lies says nothing
    if isinstance(plain, BaseException) or callable(plain):
        plain = str(plain) if isinstance(plain, BaseException) else plain.__qualname__
    known = plain is None or plain is pd.NA or plain is pd.NaT
    assert known or isinstance(plain, bool | int | float | str | bytes | complex | pd.Timestamp), (
        f"no hash for {type(plain).__name__}"
    )
    sha.update(f"{type(plain).__name__}:{plain!r};".encode())


def _frame(sha: Any, frame: pd.DataFrame) -> None:
    _feed(sha, [list(map(str, frame.columns)), [str(kind) for kind in frame.dtypes], len(frame)])
    csv = frame.to_csv(index=True, na_rep="\x00", lineterminator="\n")
    sha.update(csv.encode())
