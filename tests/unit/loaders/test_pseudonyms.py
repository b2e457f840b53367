"""Persons are told apart by numbers while a load lasts, by pseudonyms afterwards."""

import pandas as pd
import pyarrow as pa
import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders import picked_lines
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym, pseudonyms
from vertebro_outcomes.tables.engine import embedded_engine, store
from vertebro_outcomes.tables.engine_functions import fingerprint


def named(identifiers):
    """Names of identifiers as written, on an engine of their own."""
    engine = embedded_engine()
    rows = store(engine, "rows", pa.table({"raw": identifiers}))
    rows = rows.mutate(number=fingerprint(engine, rows.raw))
    return pseudonyms(engine, rows, b"k", kind="P").table.to_pyarrow().to_pandas()


def test_blanks_around_an_identifier_make_no_other_person():
    names = named(["N1", " N1", "N1 ", "N2", "N2"])
    assert len(names) == 4
    assert set(names["pseudo"]) == {pseudonym("N1", b"k"), pseudonym("N2", b"k")}
    assert names.groupby("pseudo")["person"].nunique().eq(1).all()
    assert set(names["person"]) <= set(names["number"])


def test_without_other_spellings_a_person_is_the_number():
    names = named(["N1", "N2", "N2"])
    pd.testing.assert_series_equal(names["person"], names["number"], check_names=False)


def test_identifiers_that_share_a_number_are_not_taken_for_one_person(tmp_path, monkeypatch):
    file = tmp_path / "registry.csv"
    file.write_text("patient_id,treatment,treatment_date\nAnna,VP,2019-01-01\nBert,KP,2019-01-01\n")
    monkeypatch.setattr(picked_lines, "fingerprint", lambda _, text: text.length().cast("int64"))
    with pytest.raises(LoadError, match="with the same 63-bit number") as told:
        load(file, key=b"k")
    assert "Anna" not in str(told.value)
    assert "another way" in str(told.value)


@pytest.mark.parametrize(
    ("identifier", "key", "digest"),
    [
        ("N1", "k", "8799678718e8c768"),
        (
            "Müller-07 of ward 3, with a long name of its own",
            "a longer key of the registry office, kept in a drawer" * 3,
            "26d0c9ccca294466",
        ),
    ],
)
def test_the_hash_is_that_of_the_standard(identifier, key, digest):
    """The one-step key derivation of another library: `ConcatKDFHash` of cryptography 50.0.2,
    with SHA-256, from the hash of the key, about `P`, the separator 0x1f and the identifier.
    """
    assert pseudonym(identifier, key.encode()) == f"P{digest}"
    engine = embedded_engine()
    rows = store(engine, "rows", pa.table({"raw": [f" {identifier} "], "number": [1]}))
    found = pseudonyms(engine, rows, key.encode(), kind="P").table.to_pyarrow()
    assert found["pseudo"].to_pylist() == [f"P{digest}"]
