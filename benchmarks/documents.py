"""Whole documents and data sets: a large review read, a registry simulated, the report written."""

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

import vertebro_outcomes as vo
from benchmarks.timing import Task

ROOT = Path(__file__).parents[1]
OUTCOMES, STUDIES = 130, 100  # 4 MB as RevMan writes them
SIMULATED = 100_000


def tasks() -> list[Task]:
    """Reading and recomputing a review of 4 MB, simulating, and `vertebro report` from nothing."""
    review = _review()
    size = f"{review.stat().st_size / 2**20:.1f} MB, {OUTCOMES} outcomes"
    return [
        Task(
            "review read and recomputed", size, functools.partial(vo.reproduce, review),
            "xml.etree, parsing alone (floor)", functools.partial(ElementTree.parse, review), runs=2,
        ),
        Task(
            "registry simulated in memory", f"{SIMULATED:,} patients",
            lambda: vo.simulate_registry(n_patients=SIMULATED, seed=1), runs=2,
        ),
        Task("registry simulated to Parquet", f"{SIMULATED:,} patients", _simulate_to, runs=2),
        Task("full report, HTML and PDF, from nothing", "data of this repository", _report, runs=1),
    ]  # fmt: skip


@functools.cache
def _review() -> Path:
    """A RevMan 5 file of invented trials with two-by-two tables."""
    rng = np.random.default_rng(1)
    studies = "".join(
        f'<STUDY ID="STD-Trial_x002d_{i}-2001" NAME="Trial-{i} 2001" YEAR="2001"/>'
        for i in range(STUDIES)
    )
    outcomes = []
    for number in range(1, OUTCOMES + 1):
        rows = "".join(
            f'<DICH_DATA STUDY_ID="STD-Trial_x002d_{i}-2001" ORDER="{i}" ESTIMABLE="YES" '
            f'EVENTS_1="{rng.integers(1, 30)}" TOTAL_1="{rng.integers(40, 400)}" '
            f'EVENTS_2="{rng.integers(1, 30)}" TOTAL_2="{rng.integers(40, 400)}" EFFECT_SIZE="1.0" '
            'CI_START="0.2" CI_END="5.0" LOG_EFFECT_SIZE="0.0" LOG_CI_START="-0.69897" '
            'LOG_CI_END="0.69897" SE="0.8211" VAR="0.6742" WEIGHT="1.0" MODIFIED="2011-01-01"/>'
            for i in range(STUDIES)
        )
        outcomes.append(
            f'<DICH_OUTCOME ID="CMP-001.{number:02d}" NO="{number}" METHOD="MH" RANDOM="NO" '
            'EFFECT_MEASURE="RR" TOTALS="YES" ESTIMABLE="YES" EFFECT_SIZE="1.0" CI_START="0.9" '
            f'CI_END="1.1"><NAME>Outcome {number}</NAME><GROUP_LABEL_1>VP</GROUP_LABEL_1>'
            f"<GROUP_LABEL_2>NSM</GROUP_LABEL_2>{rows}</DICH_OUTCOME>"
        )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><COCHRANE_REVIEW REVMAN_VERSION="5.4"><COVER_SHEET>'
        "<TITLE>Invented review</TITLE></COVER_SHEET><STUDIES_AND_REFERENCES><STUDIES>"
        f"<INCLUDED_STUDIES>{studies}</INCLUDED_STUDIES></STUDIES></STUDIES_AND_REFERENCES>"
        '<ANALYSES_AND_DATA CALCULATED_DATA="YES"><COMPARISON ID="CMP-001" NO="1"><NAME>VP versus '
        f"NSM</NAME>{''.join(outcomes)}</COMPARISON></ANALYSES_AND_DATA></COCHRANE_REVIEW>"
    )
    room = tempfile.mkdtemp(prefix="vertebro-bench-")
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    file = Path(room) / "review.rm5"
    file.write_text(text, encoding="utf-8")
    return file


def _simulate_to() -> None:
    with tempfile.TemporaryDirectory() as place:
        vo.simulate_to(Path(place) / "registry", n_patients=SIMULATED, seed=1)


def _report() -> None:
    with tempfile.TemporaryDirectory() as place:
        raw = Path(place) / "raw"
        shutil.copytree(ROOT / "data" / "raw", raw)
        command = [sys.executable, "-m", "vertebro_outcomes", "report", "--data", str(raw)]
        folders = ["--output", f"{place}/reports", "--notebooks", f"{place}/none"]
        subprocess.run([*command, *folders], check=True, capture_output=True, cwd=place)
