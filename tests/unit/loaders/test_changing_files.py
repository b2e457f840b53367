"""Large files end as small ones do; folders of older layouts; files that change while they are read."""

import json

import pyarrow.parquet as pq
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders import files
from vertebro_outcomes.loaders import load as loading
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.storage import LAYOUT, MANIFEST

KEY = b"a key for tests"
HEADER = "patient_id,sex,treatment,procedure_date,vas_6w,vas_6w\n"
TABLE = f"{HEADER}1,F,VP,2020-01-10,8,3\n2,M,KP,2020-02-10,7,2\n"
ENDS = {
    "nothing": "",
    "totals": "Total,,,,15,5\n",
    "totals and a note": "Sum:,,,,15,5\n,,,,,\nn = 2 patients,,,,,\n",
    "a note between blank rows": ",,,,,\nprinted by the registry\n,,,,,\n",
    "the header once more and totals": f"{HEADER}Mean,,,,7.5,2.5\n",
    "a note without separators": "End of file\n",
}
USUAL = ("nothing", "totals and a note")


@pytest.mark.parametrize(
    "end", [pytest.param(e, marks=() if e in USUAL else pytest.mark.slow) for e in ENDS]
)
@pytest.mark.parametrize(
    "encoding", ["utf-8", *(pytest.param(e, marks=pytest.mark.slow) for e in ("latin-1", "utf-16"))]
)
def test_large_files_end_as_small_ones_do(tmp_path, monkeypatch, end, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes((TABLE + "3,Ö,NSM,,6,6\n" + ENDS[end]).encode(encoding))
    plain = load(path, key=KEY)
    monkeypatch.setattr(files, "LARGE_BYTES", 1)
    large = load(path, key=KEY)
    assert plain.accounting["rows_used"].tolist() == [3]
    assert dict(large.ignored[["rule", "rows"]].to_numpy()) == dict(
        plain.ignored[["rule", "rows"]].to_numpy()
    )
    for ledger in ("accounting", "rejects", "unmapped"):
        assert getattr(large, ledger).equals(getattr(plain, ledger)), ledger
    for table in STORED:
        assert large.frame(table).equals(plain.frame(table)), table


def written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    return load(path, key=KEY).write(tmp_path / "out")


def as_layout(folder, layout, **drop):
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "layout": layout}))
    for table, column in drop.items():
        file = folder / f"{table}.parquet"
        rest = pq.read_table(file).drop_columns([column])
        file.unlink()
        pq.write_table(rest, file)


def test_a_folder_from_before_the_year_of_the_index_is_read_with_it_missing(tmp_path):
    folder = written(tmp_path)
    as_layout(folder, 1, episodes="index_year")
    old = vo.load(folder)
    assert old.frame("episodes")["index_year"].isna().all()
    assert list(old.frame("episodes").columns) == list(STORED["episodes"].names)
    assert sorted(old.frame("episodes")["treatment"]) == ["KP", "VP"]
    assert vo.load(old.write(tmp_path / "new")).frame("episodes").equals(old.frame("episodes"))


@pytest.mark.parametrize(
    ("layout", "drop", "said"),
    [
        (LAYOUT + 1, {}, r"layout 3(.|\n)*update this package"),
        (LAYOUT, {"episodes": "index_year"}, r"no column index_year(.|\n)*load the export again"),
        (1, {"patients": "sex"}, r"no column sex(.|\n)*load the export again"),
        ("new", {}, r"layout new(.|\n)*load the export again"),
    ],
)
def test_layouts_that_cannot_be_read_say_what_to_do(tmp_path, layout, drop, said):
    folder = written(tmp_path)
    as_layout(folder, layout, **drop)
    with pytest.raises(LoadError, match=said):
        vo.load(folder)


@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch, fails):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    whole = loading.assemble

    def meanwhile(*parts):
        with path.open("a") as file:
            file.write("3,F,VP,2020-03-10,8,3\n")
        if fails:
            raise RuntimeError("cut off")
        return whole(*parts)

    monkeypatch.setattr(loading, "assemble", meanwhile)
    with pytest.raises(
        LoadError, match=r"t\.csv: changed while it was read(.|\n)*then load it again"
    ):
        load(path, key=KEY)
