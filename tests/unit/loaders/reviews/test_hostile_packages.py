"""Broken and hostile archives and tables: one clear LoadError, bounded time and memory, nothing written."""

import io
import struct
import sys
import time
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from packages import package, zipped

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.reviews.archives import read_members
from vertebro_outcomes.loaders.reviews.read import read_review

ROWS = "CD000001-analysis-data/CD000001-data-rows.csv"
MOST_SECONDS = 2.0
MOST_BYTES = 300 * 2**20


def encrypted():
    """The flag that members are encrypted, set in both places of every member."""
    data = bytearray(zipped(package()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def long_directory():
    """An end record that promises a list of members of 200 MB."""
    return b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 65_000, 65_000, 200 * 2**20, 0, 0)


def deeply_nested():
    data = zipped(package())
    for name in ("c.zip", "b.zip"):
        data = zipped({name: data})
    return data


def lying_about_its_size():
    data = bytearray(zipped(package()))
    place = data.find(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<L", 10)
    return bytes(data)


def many_bombs():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(30):
            archive.writestr(f"CD00000{i}-data-rows.csv", b"0," * 4_000_000)
    return held.getvalue()


CASES = {
    "bomb": lambda: zipped({ROWS: b"0" * 60_000_000}),
    "many bombs": many_bombs,
    "nested bomb": lambda: zipped({"CD1-data.zip": zipped({ROWS: b"0" * 60_000_000})}),
    "path out": lambda: zipped({"../../" + ROWS: b"x", **package()}),
    "backslash path out": lambda: zipped({"..\\x.csv": b"x", **package()}),
    "absolute path": lambda: zipped({"/etc/x.csv": b"x", **package()}),
    "drive": lambda: zipped({"C:/x.csv": b"x", **package()}),
    "too many members": lambda: zipped({f"{i}.csv": b"" for i in range(2_001)}),
    "long directory": long_directory,
    "deeply nested": deeply_nested,
    "encrypted": encrypted,
    "cut off": lambda: zipped(package())[:-200],
    "cut short": lambda: zipped(package())[:60],
    "lying": lying_about_its_size,
    "empty zip": lambda: zipped({}),
    "empty file": lambda: b"",
    "not a zip": lambda: b"PK but no zip at all",
    "no rows": lambda: zipped({k: v for k, v in package().items() if "rows" not in k}),
    "binary rows": lambda: zipped({**package(), ROWS: bytes(range(256)) * 40}),
    "empty rows": lambda: zipped({**package(), ROWS: b""}),
    "open quote": lambda: zipped({**package(), ROWS: package()[ROWS] + b'"' + b"x" * 2_000_000}),
    "header only": lambda: zipped({**package(), ROWS: package()[ROWS].split(b"\r\n")[0]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_clear_error(case, tmp_path):
    path = tmp_path / "review.zip"
    path.write_bytes(CASES[case]())
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(LoadError) as caught:
        read_review(path)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < MOST_SECONDS
    assert peak < MOST_BYTES
    assert len(str(caught.value)) < 1_500
    assert [file.name for file in tmp_path.iterdir()] == ["review.zip"]


def test_the_list_of_cases_is_whole():
    assert len(CASES) == 22


@pytest.mark.parametrize("name", ["CD1-data-rows.csv", "export.csv", "x.zip", "x.rm5", "x"])
@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2" * 500, b"\xff\xfe", b"a", b"\n\n\n", b'"', b"\xef\xbb\xbf"]
)
def test_files_that_are_nothing(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LoadError):
        read_review(path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(LoadError):
        read_review(tmp_path)


@pytest.mark.parametrize("head", ["Analysis group,Analysis number,Study", "yi,vi"])
def test_a_cell_of_a_hundred_megabytes(head, tmp_path):
    path = tmp_path / "x.csv"
    with path.open("wb") as file:
        file.write(f"{head}\n1,".encode())
        for _ in range(100):
            file.write(b"9" * 2**20)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(LoadError, match="MiB"):
        read_review(path)
    assert time.perf_counter() - start < MOST_SECONDS
    assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    tracemalloc.stop()


def test_links_in_a_folder_are_not_followed(tmp_path):
    (tmp_path / "secret.csv").write_bytes(b"x,y\n1,2\n")
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "a-data-rows.csv").symlink_to(tmp_path / "secret.csv")
    assert read_members(folder, wanted=lambda name: True) == {}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_ends_in_a_review_or_a_load_error(data, tmp_path):
    whole = zipped(package())
    place = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=20))
    path = tmp_path / "x.zip"
    path.write_bytes(whole[:place] + damage + whole[place + len(damage) :])
    with suppress(LoadError):
        assert read_review(path).units


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), name=st.sampled_from(["a-data-rows.csv", "plain.csv"]))
def test_any_table_ends_in_a_review_or_a_load_error(data, name, tmp_path):
    whole = package()[ROWS] if "rows" in name else b"study,ai,n1i,ci,n2i\nA,1,10,2,10\nB,3,9,1,9\n"
    place = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.text(max_size=20)).encode()
    path = tmp_path / name
    path.write_bytes(whole[:place] + damage + whole[place + len(damage) :])
    with suppress(LoadError):
        read_review(path)
