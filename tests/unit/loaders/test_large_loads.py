"""An export too large for memory gives the same cohort as one that fits, always in the same bytes."""

import gzip
import hashlib
from contextlib import contextmanager

import pandas as pd
import pytest

from vertebro_outcomes.loaders import feed_columns, files
from vertebro_outcomes.loaders import load as loading
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.tables.engine import working_engine

MAPPING = {
    "name": "large",
    "feed": [
        {
            "source": "patients.csv",
            "table": "patients",
            "columns": {"patient_id": "id", "sex": "sex", "death_date": "death"},
        },
        {
            "source": "patients.csv",
            "table": "episodes",
            "columns": {"patient_id": "id", "treatment": "arm", "treatment_date": "op"},
        },
        {
            "source": "scores.csv",
            "table": "scores",
            "columns": {
                "patient_id": "id",
                "date": "when",
                "instrument": "what",
                "value": {"column": "value", "missing": {"not done": "not_asked"}},
            },
        },
    ],
}
WORDS = ("3", "4.5", "", "11", "none of it", "not done", "7")


def write(folder, n_patients, *, clean=False):
    """Patients in order; their scores in another, with repeats, strangers and second episodes."""
    people, scores = ["id,arm,op,death,sex"], ["id,when,what,value"]
    for i in range(n_patients):
        death = "" if i % 17 else "2018-09-01"
        people.append(f"N{i},{('VP', 'KP', 'NSM')[i % 3]},2018-0{1 + i % 9}-11,{death},f")
        if not clean and i % 5 == 0:
            people.append(f" N{i},KP,2019-02-01,,")
    for k in range(n_patients * 8):
        i, value = (k * 7) % n_patients, str(k % 11) if clean else WORDS[k % len(WORDS)]
        day = k // n_patients
        scores.append(f"N{i},2018-1{k % 3}-0{1 + day},{('pain_vas', 'odi')[k % 2]},{value}")
        if not clean and k % 9 == 0:
            scores.append(f"{'Z' if k % 90 == 0 else 'N'}{i},{scores[-1].split(',', 1)[1]}5")
    folder.mkdir()
    (folder / "patients.csv").write_text("\n".join(people) + "\n")
    (folder / "scores.csv").write_text("\n".join(scores) + "\n")
    return folder


@pytest.mark.parametrize(
    "feeds",
    [slice(0, 3), *(pytest.param(s, marks=pytest.mark.slow) for s in (slice(1, 3), slice(0, 2)))],
)
def test_both_ways_give_the_same_cohort(tmp_path, monkeypatch, feeds):
    folder = write(tmp_path / "export", 200)
    mapping = {**MAPPING, "feed": MAPPING["feed"][feeds]}
    small = load(folder, mapping=mapping, key=b"k")
    monkeypatch.setattr(loading, "LARGE_EXPORT_BYTES", 0)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(feed_columns, "GLANCED_FROM", 0)
    large = load(folder, mapping=mapping, key=b"k")
    for name in small.tables:
        there, here = (c.frame(name) for c in (small, large))
        by = list(there.columns)
        here = here.sort_values(by, ignore_index=True, key=lambda c: c.astype(str))
        there = there.sort_values(by, ignore_index=True, key=lambda c: c.astype(str))
        pd.testing.assert_frame_equal(here, there)
    for ledger in ("rejects", "accounting", "ignored"):
        pd.testing.assert_frame_equal(getattr(large, ledger), getattr(small, ledger))


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    folder = write(tmp_path / "export", 20_000, clean=True)
    found = set()
    for threads in (1, 4):
        engine = working_engine()
        engine.con.execute(f"SET threads = {threads}")
        cohort = load(folder, mapping=MAPPING, key=b"k", engine=engine)
        assert engine.con.execute("SELECT current_setting('threads')").fetchall() == [(threads,)]
        out = cohort.write(tmp_path / f"out{threads}")
        found.add(
            tuple(hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(out.glob("*.parquet")))
        )
    assert len(found) == 1
    values = pd.read_parquet(out / "scores.parquet", columns=["value"])["value"]
    assert values.head(20).tolist() == [k % 11 for k in range(20)]  # rows stand as in the file


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("", (800, 800, 0, 0)),  # the engine passes it over, which the load says
        ("id,when,what,value", (801, 800, 0, 1)),
        (" , ,,", (801, 800, 0, 1)),
        ("N1,2018-01-01,odi,5,6,7", (801, 800, 1, 0)),
        ('"N1",2030-01-01,odi,5', (801, 801, 0, 0)),
    ],
)
def test_lines_that_are_no_record_are_found_where_lines_are_counted(
    tmp_path, monkeypatch, line, fate
):
    folder = write(tmp_path / "export", 100, clean=True)
    lines = (folder / "scores.csv").read_text().splitlines()
    (folder / "scores.csv").write_text("\n".join([*lines[:300], line, *lines[300:]]) + "\n")
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    cohort = load(folder, mapping=MAPPING, key=b"k")
    counts = {row[0]: tuple(row[1:]) for row in cohort.accounting.to_numpy().tolist()}
    assert counts == {"patients.csv": (100, 100, 0, 0), "scores.csv": fate}


def test_a_large_packed_file_is_read_before_it_is_gone(tmp_path, monkeypatch):
    folder = write(tmp_path / "export", 100, clean=True)
    plain = load(folder, mapping=MAPPING, key=b"k").frame("scores")
    text = (folder / "scores.csv").read_bytes()
    (folder / "scores.csv").unlink()
    with gzip.open(folder / "scores.csv.gz", "wb") as packed:
        packed.write(text)
    feeds = [*MAPPING["feed"][:2], {**MAPPING["feed"][2], "source": "scores.csv.gz"}]
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    cohort = load(folder, mapping={**MAPPING, "feed": feeds}, key=b"k")
    pd.testing.assert_frame_equal(cohort.frame("scores"), plain)


def test_a_large_load_says_what_it_is_doing(tmp_path, monkeypatch):
    folder, said = write(tmp_path / "export", 20), []

    @contextmanager
    def step(words):
        said.append(words)
        yield
        said.append(f"{words}: done")

    loading.normalise(folder, tmp_path / "small", mapping=MAPPING, key=b"k", step=step)
    assert not said
    monkeypatch.setattr(loading, "LARGE_EXPORT_BYTES", 0)
    loading.normalise(folder, tmp_path / "large", mapping=MAPPING, key=b"k", step=step)
    assert said[:2] == ["rows read and checked", "rows read and checked: done"]
    assert said[-1] == "tables written: done"
    assert len(said) == 2 * len({words.removesuffix(": done") for words in said})
