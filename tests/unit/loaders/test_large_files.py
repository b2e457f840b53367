"""Files read by the engine give the same cells, lines and account as files read row by row."""

import pytest

from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.large_files import read_large
from vertebro_outcomes.tables.engine import embedded_engine


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


def cells(source):
    frame = source.data.order_by("_line").to_pyarrow().to_pandas()
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_both_readers_agree(engine, tmp_path, encoding, separator):
    rows = [["id", "Höhe", "wert"], *[[f"N{i}", "ü", str(i)] for i in range(3000)]]
    rows.insert(1500, ["id", "Höhe", "wert"])
    rows.insert(2000, ["N", "x", "1", "2"])
    path = tmp_path / "t.csv"
    path.write_bytes("".join(separator.join(row) + "\n" for row in rows).encode(encoding))
    slow, fast = read_delimited(engine, path), read_large(engine, path)
    assert fast.columns == slow.columns
    assert cells(fast) == cells(slow)
    assert fast.set_aside == slow.set_aside == {"repeated header": 1}
    assert [row[0] for row in fast.refused] == [row[0] for row in slow.refused] == [2001]
    assert fast.rows_in == slow.rows_in == 3002
    assert fast.notes == ()


def test_line_breaks_in_cells_are_said(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + '1,"x\ny",z\n' * 5)
    source = read_large(engine, path)
    assert source.rows_in == 5
    assert "lines count records" in source.notes[0]
