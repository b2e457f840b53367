"""A load that is killed leaves the former result or the new one; the next run puts the rest right."""

import subprocess
import sys

import pytest

import vertebro_outcomes as vo
from tests.reliability.test_interruption import bytes_of
from vertebro_outcomes.loaders.load import formats
from vertebro_outcomes.tables.storage import recover

CHILD = """
import os, signal, sys
from vertebro_outcomes.loaders.load import normalise
event, word, left = sys.argv[3], sys.argv[4], int(sys.argv[5])
def hook(name, arguments):
    global left
    if name == event and word in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
normalise(sys.argv[1], sys.argv[2], key=b"k")
"""
MOMENTS = {
    "while the export is read": ("open", "verlauf.csv", 2),
    "before the first table": ("os.mkdir", ".out.partial-", 0),
    "between two ledgers": ("open", ".out.partial-", 2),
    "before the old result moves aside": ("os.rename", "out", 0),
    "before the new result takes its place": ("os.rename", ".out.partial-", 0),
    "before the old result goes": ("os.rmdir", "", 0),
}


USUAL = ("before the new result takes its place",)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, marks=() if m in USUAL else pytest.mark.slow) for m in MOMENTS],
)
def test_a_killed_load_leaves_the_old_result_or_the_new_one(tmp_path, moment):
    export, out = tmp_path / "clinic", tmp_path / "results" / "out"
    export.mkdir()
    formats()["flat"].sample(export)
    vo.normalise(export, out, key=b"k")
    old = bytes_of(out)
    source = export / "verlauf.csv"
    source.write_bytes(source.read_bytes().replace(b"31.02.2019", b"28.02.2019"))
    vo.normalise(export, tmp_path / "whole", key=b"k")
    new = bytes_of(tmp_path / "whole")
    event, word, left = MOMENTS[moment]
    command = [sys.executable, "-c", CHILD, export, out, event, word, str(left)]
    assert subprocess.run(command, check=False).returncode < 0
    recover(out)
    assert bytes_of(out) in (old, new)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    vo.normalise(export, out, key=b"k")
    assert bytes_of(out) == new


def test_the_parts_of_a_running_writer_stay(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        names = [f".out.partial-{child.pid}", ".out.partial-unknown"]
        for name in names:
            (tmp_path / name).mkdir()
        recover(tmp_path / "out")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    finally:
        child.communicate(b"\n")
    recover(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [".out.partial-unknown"]
