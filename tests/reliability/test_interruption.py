"""A run that is killed leaves no part behind that passes for a whole; the next run repairs it."""

import hashlib
import os
import signal
import sys
from pathlib import Path

from vertebro_outcomes.report.digest import is_current
from vertebro_outcomes.report.files import write_folder

RAW = Path(__file__).parents[2] / "data" / "raw"
WATCHED = ("open", "os.rename", "os.remove", "os.chmod", "os.mkdir", "os.truncate")
BEFORE, AFTER = {"data": "old"}, {"data": "new"}


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def files(word: str, n: int) -> dict[str, bytes]:
    return {f"tables/{i}.csv": f"{word} {i}\n".encode() * 200 for i in range(n)}


def write(folder: Path, word: str, *, n: int) -> None:
    inputs = BEFORE if word == "old" else AFTER
    write_folder(folder, files(word, n), provenance={"inputs": inputs})


def killed_at(moment: int, action) -> bool:
    """Run `action` in a child that is killed before its `moment`-th change on disk; True if it was."""
    child = os.fork()
    if child == 0:
        left = moment

        def hook(event, _arguments):
            nonlocal left
            if event in WATCHED:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        action()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_folder_killed_at_any_change_is_old_new_or_known_to_be_neither(tmp_path):
    whole = tmp_path / "whole"
    write(whole, "old", n=12)
    write(whole, "new", n=9)
    expected = bytes_of(whole)
    moments, killed = 0, True
    while killed:
        folder = tmp_path / f"at{moments}"
        write(folder, "old", n=12)
        killed = killed_at(moments, lambda folder=folder: write(folder, "new", n=9))
        for name, content in bytes_of(folder).items():
            if name in expected and not Path(name).name.startswith("."):
                old_or_new = {
                    hashlib.sha256(files(w, 12).get(name, b"")).hexdigest() for w in ("old", "new")
                }
                assert content in old_or_new or name == "provenance.json", f"a part of {name}"
        if killed and is_current(folder, AFTER):
            assert bytes_of(folder).items() >= expected.items()
        write(folder, "new", n=9)
        assert is_current(folder, AFTER)
        assert bytes_of(folder) == expected, f"after a kill at change {moments}"
        moments += 1
    assert moments > 40
