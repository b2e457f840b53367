"""The lines of a file are counted once as long as it is the same file."""

import os
from threading import Event

import pytest

from vertebro_outcomes.loaders import files, physical_lines
from vertebro_outcomes.loaders.physical_lines import Lines


@pytest.fixture
def counted(monkeypatch):
    """The names of the files that were looked through, in turn."""
    names, count = [], physical_lines._counted

    def noted(path):
        names.append(path.name)
        return count(path)

    monkeypatch.setattr(physical_lines, "_counted", noted)
    return names


def test_a_file_is_looked_through_once_until_it_changes(tmp_path, counted):
    file = tmp_path / "a.csv"
    file.write_bytes(b"id,n\n1,2\n3,4")
    first = physical_lines.physical_lines(file)
    assert first == Lines(3, is_plain=True, is_even=True, is_utf8=True)
    assert physical_lines.physical_lines(file) is first
    before = file.stat()
    file.write_bytes(b'id,n\n1,"\n\xe9\n\n')  # as long as before, and said to be as old
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    expected = Lines(4, is_plain=False, is_even=True, is_utf8=False)
    assert physical_lines.physical_lines(file) == expected
    assert counted == ["a.csv", "a.csv"]


def test_a_failure_is_not_remembered(tmp_path, monkeypatch):
    file = tmp_path / "a.csv"
    file.write_bytes(b"id\n1\n")

    def interrupted(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(physical_lines, "_counted", interrupted)
        with pytest.raises(KeyboardInterrupt):
            physical_lines.physical_lines(file)
    assert physical_lines.physical_lines(file).n == 2


def test_letters_are_told_across_the_pieces_a_file_is_read_in(tmp_path, monkeypatch):
    monkeypatch.setattr(physical_lines, "CHUNK_BYTES", 4)
    for text, is_utf8 in (("abcé\n".encode(), True), (b"abc\xe9\n", False), (b"abc\xc3", False)):
        file = tmp_path / f"{text.hex()}.csv"
        file.write_bytes(text)
        assert physical_lines.physical_lines(file).is_utf8 is is_utf8


def test_no_further_file_is_looked_through_once_it_is_enough(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 3)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"id\n1\n")
    enough = Event()
    enough.set()
    files.count_lines(tmp_path, enough)
    assert counted == []
    files.count_lines(tmp_path, Event())
    assert counted == ["a.csv", "b.csv"]
