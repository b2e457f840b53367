"""Lines read as numbers and dates at once say what their texts say, or are not read so at all."""

from dataclasses import replace

import ibis
import pyarrow as pa
import pytest

from vertebro_outcomes.loaders import feed_columns, files, typed_lines
from vertebro_outcomes.loaders import load as loading
from vertebro_outcomes.loaders.cells import parse
from vertebro_outcomes.loaders.feed_columns import kinds_of
from vertebro_outcomes.loaders.format import STAGED, Cell, Feed
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.sources import Setting, Source
from vertebro_outcomes.loaders.typed_lines import TypedLines, is_written_as
from vertebro_outcomes.tables.engine import embedded_engine

NUMBERS = (
    *("5", "-5", "+5", "5.", ".5", "-.5", ".", "-", "5,5", "5.5", "1,234.5", "1_0", "1e3", "-1E3", "1e999"),
    *("1e-999", "0.1", "123456789012345678901", "inf", "-inf", "INF", "nan", "NaN", "-nan", "Infinity"),
    *("5d", "0x1", " 7", "7 ", "\t7", "\N{NO-BREAK SPACE}7", "\N{MINUS SIGN}7", "--7", "5-", "", " "),
    *("NA", "null", "true", "5/10", "\0", "5\0", "०", "٣"),
)  # fmt: skip
DATES = (
    *("2019-02-03", "2019-2-3", " 2019-02-03", "2019-02-30", "2020-02-29", "1900-02-29", "20190203"),
    *("2019-02-03T10:00", "2019-02-03 10:00", "2019/02/03", "0019-02-03", "9999-12-31", "10000-01-01"),
    *("-2019-02-03", "2019-00-01", "03-02-2019", "2019-02", "2019-02-03Z", "", "NA", "2019-02-0 "),
)  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


def lines(folder, *rows, header="id,told", end="\n"):
    path = folder / "t.csv"
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return TypedLines(path, header[2], tuple(header.split(header[2])), 1)


def read(plain, kind, decimal="."):
    return plain.read({"told": kind}, decimal=decimal).read_all()["told"].to_pylist()


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    ("table", "name", "kind", "texts"),
    [("scores", "value", "number", NUMBERS), ("scores", "date", "date", DATES)],
)
def test_what_is_read_at_once_is_what_the_text_says(
    engine, tmp_path, table, name, kind, texts, decimal
):
    texts = [text.replace(".", decimal) if decimal == "," else text for text in texts]
    column, setting = STAGED[table][name], Setting(decimal=decimal)
    rows = ibis.memtable({"t": texts}, schema={"t": "string"})
    said = parse(rows.t, column, Cell("told"), setting)
    spelled = rows.select("t", value=said.value, broken=said.broken)
    by_text = {row["t"]: row for row in engine.to_pyarrow(spelled).to_pylist()}
    n_read = 0
    for text in texts:
        plain = lines(tmp_path, f"1;{text}", header="id;told")
        try:
            (value,) = read(plain, kind, decimal)
        except pa.ArrowInvalid:
            continue
        typed = ibis.memtable(
            pa.table({"t": pa.array([value], {"number": pa.float64()}.get(kind, pa.date32()))})
        )
        judged = parse(typed.t, column, Cell("told"), setting)
        made = typed.select(value=judged.value, broken=judged.broken)
        (found,) = engine.to_pyarrow(made).to_pylist()
        expected = by_text[text]
        assert found["value"] == expected["value"], repr(text)
        assert (found["broken"] is None) == (expected["broken"] is None), repr(text)
        n_read += text != ""
    assert n_read >= 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_in_order_blanks_are_blank(tmp_path, monkeypatch, end):
    monkeypatch.setattr(typed_lines, "BLOCK_BYTES", 64)
    monkeypatch.setattr(typed_lines, "PART_BYTES", 16)
    rows = [f"{n},{n / 4 if n % 3 else ''}" for n in range(500)]
    plain = lines(tmp_path, *rows, end=end)
    found = plain.read({"told": "number", "id": "text"}).read_all()
    assert found["id"].to_pylist() == [str(n) for n in range(500)]
    assert found["told"].to_pylist() == [n / 4 if n % 3 else None for n in range(500)]
    assert found.schema.names == ["told", "id"]


@pytest.mark.parametrize("last", ["\n", ""])
def test_lines_longer_than_a_block_are_read_whole(tmp_path, monkeypatch, last):
    monkeypatch.setattr(typed_lines, "BLOCK_BYTES", 64)
    rows = [f"{'x' * (n * n % 700)},{n}" for n in range(120)]
    plain = lines(tmp_path, *rows)
    text = plain.path.read_bytes()
    plain.path.write_bytes(text if last else text[:-1])
    found = plain.read({"id": "text", "told": "number"}).read_all()
    assert found["told"].to_pylist() == [float(n) for n in range(120)]
    texts = [row.split(",")[0] or None for row in rows]
    assert found["id"].to_pylist() == texts


@pytest.mark.parametrize("row", ["1", "1,2,3"])
def test_a_line_with_other_cells_ends_the_reading(tmp_path, row):
    with pytest.raises(pa.ArrowInvalid):
        read(lines(tmp_path, "1,2", row, "3,4"), "number")


def test_what_cannot_be_told_is_not_read_so(tmp_path):
    path = tmp_path / "t.csv"
    assert TypedLines(path, ",", ("a", "b"), 1).is_told
    assert not TypedLines(path, ",", ("a",), 1).is_told  # a blank line and a blank cell look alike
    assert not TypedLines(
        path, ",", ("a", "b"), 0
    ).is_told  # a mark may stand before the first cell


def test_a_column_is_read_as_what_all_its_feeds_and_its_first_texts_say():
    usual = {
        "age": ["70", "", "81.5"],
        "vas": ["3", "n/a"],
        "op": ["2019-02-03"],
        "old": ["3/4/19"],
    }
    source = Source("t.csv", None, feed_columns.GLANCED_FROM, usual=usual)
    patients = Feed("t.csv", "patients", {
        "patient_id": Cell("id"), "age_years": Cell("age"), "birth_date": Cell("old"), "sex": Cell("sex"),
        "bmd_t_score": Cell("t", thousands="."), "charlson": Cell("c", absent={"9": "missing"}),
    })  # fmt: skip
    cells = {"patient_id": Cell("id"), "value": Cell("vas"), "date": Cell("op")}
    cells["instrument"] = Cell(constant="odi")
    scores = Feed("t.csv", "scores", cells)
    assert kinds_of(source, [patients, scores]) == {
        "id": "text", "age": "number", "old": "text", "sex": "text", "t": "text", "c": "text",
        "vas": "text", "op": "date",
    }  # fmt: skip
    twice = Feed("t.csv", "patients", {"patient_id": Cell("op")})
    assert kinds_of(source, [scores, twice])["op"] == "text"
    other = Feed("t.csv", "patients", {"age_years": Cell("age", decimal=",")})
    assert kinds_of(source, [other]) == {"age": "text"}
    assert kinds_of(replace(source, n_rows=5), [scores]) == {}


def test_texts_by_which_a_kind_is_expected():
    assert [t for t in NUMBERS if is_written_as(t, "number")] == [
        "5", "-5", "5.", ".5", "-.5", "5,5", "5.5", "1e3", "-1E3", "1e999", "1e-999", "0.1",
        "123456789012345678901", "",
    ]  # fmt: skip
    assert all(is_written_as(t, "text") for t in NUMBERS)


SCORES = "id,when,op,what,value\n" + "".join(
    f"N{k % 50},2019-0{1 + k % 9}-1{k % 7},2019-01-10,{('odi', 'pain_vas')[k % 2]},{k % 12}\n"
    for k in range(900)
)
EPISODES = {"patient_id": "id", "treatment": {"constant": "KP"}, "treatment_date": "op"}
TOLD = {"patient_id": "id", "date": "when", "instrument": "what", "value": "value"}
MAPPING = {
    "feed": [
        {"source": "*", "table": "episodes", "columns": EPISODES},
        {"source": "*", "table": "scores", "columns": TOLD},
    ]
}


@pytest.mark.parametrize(
    "last",
    [
        "",
        *(
            pytest.param(line, marks=pytest.mark.slow)
            for line in ("N1,2019-02-03,,odi,far\n", "N1,2019-02-31,,odi,4\n", "N1,,,,\n")
        ),
    ],
)
def test_one_cell_of_another_kind_and_all_are_read_as_text(tmp_path, monkeypatch, last):
    (tmp_path / "t.csv").write_text(SCORES + last)
    small = load(tmp_path, mapping=MAPPING, key=b"k")
    monkeypatch.setattr(loading, "LARGE_EXPORT_BYTES", 0)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(feed_columns, "GLANCED_FROM", 0)
    large = load(tmp_path, mapping=MAPPING, key=b"k")
    assert large.accounting.equals(small.accounting)
    assert large.rejects.equals(small.rejects)
    assert len(large.frame("scores")) > 400
    for name in small.tables:
        here, there = (cohort.frame(name).astype(str) for cohort in (large, small))
        by = list(here.columns)
        here, there = (rows.sort_values(by, ignore_index=True) for rows in (here, there))
        assert here.equals(there), name


@pytest.mark.parametrize("title", ["age", "60"])
def test_a_header_that_comes_again_is_nobody(tmp_path, monkeypatch, title):
    rows = [f"N{k},{50 + k % 40}" for k in range(900)]
    header = f"id,{title}"
    (tmp_path / "t.csv").write_text("\n".join([header, *rows[:500], header, *rows[500:], ""]))
    columns = {"patient_id": "id", "age_years": title}
    mapping = {"feed": [{"source": "*", "table": "patients", "columns": columns}]}
    monkeypatch.setattr(loading, "LARGE_EXPORT_BYTES", 0)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(feed_columns, "GLANCED_FROM", 0)
    cohort = load(tmp_path, mapping=mapping, key=b"k")
    assert len(cohort.frame("patients")) == 900
    assert cohort.ignored[["rule", "rows"]].to_numpy().tolist() == [["repeated header", 1]]
