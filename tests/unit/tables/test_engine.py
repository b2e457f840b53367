"""Words kept as numbers stay words to whoever asks; places are those of the rows as stored."""

import duckdb
import ibis
import pyarrow as pa
import pytest

from vertebro_outcomes.tables.engine import (
    embedded_engine,
    stacked,
    store,
    store_told,
)
from vertebro_outcomes.tables.engine_functions import fingerprint
from vertebro_outcomes.tables.engine_words import Stream, begin, store_words

WORDS = ["eq5d", "odi", "pain_vas"]


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


@pytest.fixture(scope="module")
def kept(engine):
    told = pa.table({"kind": ["pain_vas", None, "odi", "eq5d", "odi"], "n": range(5)})
    return store_words(engine, "words", store(engine, "told", told), {"kind": WORDS})


def test_words_are_texts_of_the_same_order(kept):
    assert str(kept.schema()["kind"]) == "string"
    rows = kept.order_by(["kind", "n"]).to_pyarrow().to_pydict()
    assert rows == {"kind": ["eq5d", "odi", "odi", "pain_vas", None], "n": [3, 2, 4, 0, 1]}
    found = kept.aggregate(low=kept.kind.min(), high=kept.kind.max()).to_pyarrow().to_pylist()
    assert found == [{"low": "eq5d", "high": "pain_vas"}]


def test_words_are_compared_with_any_text(kept):
    counted = {
        "same": (kept.kind == "odi").sum(),
        "strange": (kept.kind == "rmdq").sum(),
        "among": kept.kind.isin(["odi", "rmdq"]).sum(),
        "after": (kept.kind > "f").sum(),
        "joined": (kept.kind + "!").isin(["odi!"]).sum(),
    }
    found = kept.aggregate(**counted).to_pyarrow().to_pylist()[0]
    assert found == {"same": 2, "strange": 0, "among": 2, "after": 3, "joined": 2}


def test_words_join_and_stack_with_texts(engine, kept):
    import ibis

    other = ibis.memtable(pa.table({"kind": ["odi", "rmdq"], "n": [7, 8]}))
    both = store(engine, "both", kept.union(other)).to_pyarrow()
    assert sorted(both["kind"].to_pylist(), key=str) == sorted(
        [None, "eq5d", "odi", "odi", "odi", "pain_vas", "rmdq"], key=str
    )
    assert kept.semi_join(other, "kind").count().to_pyarrow().as_py() == 2


def test_a_word_that_nobody_declared_is_not_lost_in_silence(engine):
    import duckdb

    told = store(engine, "told", pa.table({"kind": ["leg_pain"]}))
    with pytest.raises(duckdb.ConversionException):
        store_words(engine, "words", told, {"kind": WORDS})


def test_a_row_knows_its_place_beside_columns_that_take_no_room(engine):
    import ibis

    rows = ibis.memtable(pa.table({"n": [30, 10, 20]}))
    rows = rows.mutate(nothing=ibis.null("int64")).order_by("n")
    told = store_told(engine, "told", rows, place="at").to_pyarrow()
    assert told.to_pydict() == {"n": [10, 20, 30], "nothing": [None] * 3, "at": [0, 1, 2]}


@pytest.mark.parametrize("keep", [store, lambda *told: store_words(*told, {})])
def test_a_fingerprint_stays_the_number_it_is(engine, keep):
    told = store(engine, "told", ibis.memtable({"text": ["one", "two", "", None]}))
    number = fingerprint(engine, told.text)
    kept = keep(engine, "kept", told.mutate(number=number))
    assert kept.number.type() == number.type() == ibis.dtype("int64")
    numbers = kept.number.to_pyarrow().to_pylist()
    assert min(n for n in numbers if n is not None) >= 0
    assert len(set(numbers)) == 4


def test_many_parts_are_one_table_in_their_order(engine):
    """One below the other, more than a hundred parts nested deeper than engines read."""
    one = store(engine, "one", pa.table({"n": [1]}))
    whole = stacked([one.mutate(part=ibis.literal(part, "int64")) for part in range(150)])
    assert store(engine, "whole", whole).part.to_pyarrow().to_pylist() == list(range(150))


def rows_of(engine, schema, batches):
    return Stream.of(
        engine, "rows", schema, lambda: pa.RecordBatchReader.from_batches(schema, batches)
    )


@pytest.mark.parametrize("connect", [embedded_engine, ibis.duckdb.connect])
def test_a_table_begun_beside_comes_in_the_order_of_its_rows(connect):
    engine = connect()
    schema = pa.schema([("kind", pa.string()), ("n", pa.int64())])
    kinds = [WORDS[n % 3] for n in range(1000)]
    batches = pa.table({"kind": kinds, "n": range(1000)}, schema).to_batches(max_chunksize=50)
    rows = rows_of(engine, schema, batches)
    found = begin(engine, "told", rows.table, words={"kind": WORDS}, rows=rows)()
    assert found.schema() == ibis.schema({"kind": "string", "n": "int64"})
    assert found.to_pyarrow().to_pydict() == {"kind": kinds, "n": list(range(1000))}


def test_what_stops_the_rows_is_told_by_the_answer(engine):
    def broken():
        raise pa.ArrowInvalid("not all is plain")
        yield

    rows = rows_of(engine, pa.schema([("n", pa.int64())]), broken())
    answer = begin(engine, "told", rows.table, rows=rows)
    with pytest.raises(duckdb.Error, match="not all is plain"):
        answer()
