"""What stands in a column is told alike of sources that are read at once and of those read in pieces."""

import random

import pytest

from vertebro_outcomes.loaders import column_texts
from vertebro_outcomes.loaders.column_texts import AT_ONCE, MOST_VALUES, ColumnTexts
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.large_files import read_large
from vertebro_outcomes.tables.engine import embedded_engine

N = 2_000
TITLES = ("number", "text", "column", *(f"c{place}" for place in range(2 * AT_ONCE)))
WORDS = ("VP", " VP", "KP ", "", "NA", "-99", "n/a", "Ä", "missing")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    draw = random.Random(1)
    lines = [",".join(TITLES)]
    rows = ([f"{n % 900}", *(draw.choice(WORDS) for _ in TITLES[1:])] for n in range(N))
    lines += [",".join(row) for row in rows]
    lines[-1] = "below," + ",".join("" for _ in TITLES[1:])
    path = tmp_path_factory.mktemp("wide") / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("presumes", [True, False])
def test_large_sources_tell_the_texts_of_small_ones(path, presumes, monkeypatch):
    engine = embedded_engine()
    small = ColumnTexts(read_delimited(engine, path))
    expected = {column: (small.stated(column), small.of(column)) for column in TITLES}
    monkeypatch.setattr(column_texts, "SMALL_ROWS", 0)
    large = ColumnTexts(read_large(engine, path, presumes=presumes))
    assert {column: (large.stated(column), large.of(column)) for column in TITLES} == expected
    tables = engine.con.execute("SHOW TABLES").fetchall()
    assert not [name for (name,) in tables if "held" in name]  # nothing is left behind


def test_many_texts_are_told_by_the_first_and_the_last(path):
    found = ColumnTexts(read_delimited(embedded_engine(), path)).of("number")
    assert len(found) == MOST_VALUES
    assert (found[0], found[-1]) == ("0", "below")  # words stand behind the numbers


def test_rows_are_gone_through_once_for_columns_that_stand_together(path, monkeypatch):
    monkeypatch.setattr(column_texts, "SMALL_ROWS", 0)
    looks = []
    own = column_texts._texts_of
    monkeypatch.setattr(column_texts, "_texts_of", lambda *a: looks.append(a[1]) or own(*a))
    source = read_large(embedded_engine(), path)
    for _ in range(2):  # whoever asks again is told what is known
        texts = ColumnTexts(source)
        for title in TITLES[:AT_ONCE]:
            assert texts.stated(title)
    assert looks == [TITLES[:AT_ONCE]]
