"""The same data give the same bytes, wherever and however the commands run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.test_interruption import RAW, bytes_of

HERE = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
ELSEWHERE = {
    "PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE",
    "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "COLUMNS": "40", "MPLBACKEND": "svg",
}  # fmt: skip


def run(command: str, raw: Path, folder: Path, setting: dict[str, str]) -> None:
    kept = {k: v for k, v in os.environ.items() if k not in ELSEWHERE}
    kept["PYTHONPATH"] = str(RAW.parents[1])
    work = folder.parent
    work.mkdir(parents=True, exist_ok=True)
    arguments = [sys.executable, "-m", "vertebro_outcomes", command, "--data", str(raw)]
    subprocess.run(
        [*arguments, "--output", str(folder)], env={**kept, **setting}, cwd=work, check=True,
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["report", "data"])
def test_bytes_do_not_depend_on_folder_zone_locale_hash_seed_or_threads(command, tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(RAW, raw, ignore=shutil.ignore_patterns("demo_[!c]*"))  # one registry is enough
    run(command, raw, tmp_path / "a" / "out", HERE)
    moved = tmp_path / "somewhere else" / "raw ü"
    shutil.copytree(raw, moved)
    run(command, moved, tmp_path / "b c" / "out", ELSEWHERE)
    first, second = bytes_of(tmp_path / "a" / "out"), bytes_of(tmp_path / "b c" / "out")
    assert len(first) > 5
    assert {name for name in first if first[name] != second.get(name)} == set()
    assert first == second
