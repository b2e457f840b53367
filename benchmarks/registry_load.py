"""A flat export of many patients: time to canonical Parquet against DuckDB alone.

`python -m benchmarks.registry_load 100000` writes an invented export into a temporary folder and
prints both times, their ratio and peak memory.
"""

import atexit
import resource
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.timing import Task
from vertebro_outcomes.loaders.load import load

SCORES_EACH = 8
TURNS = 3  # the speed of a machine changes from one minute to the next
N_PATIENTS = (125_000, 1_250_000)
PATIENTS = """copy (select 'N' || lpad(i::varchar, 8, '0') as patient_id, 'S' || (i % 40) as site,
 case when i % 4 = 0 then 'm' else 'f' end as sex, 55 + i % 40 as age,
 case i % 3 when 0 then 'VP' when 1 then 'KP' else 'NSM' end as treatment,
 date '2015-01-01' + (i % 2000)::int as procedure_date,
 date '2015-01-01' + (i % 2000)::int - (i % 60)::int as fracture_date
 from range(1, {n} + 1) t(i)) to '{file}' (header)"""
SCORES = """copy (select 'N' || lpad(i::varchar, 8, '0') as patient_id,
 date '2015-01-01' + (i % 2000)::int + (j * 45)::int as visit_date,
 case when j % 2 = 0 then 'pain_vas' else 'odi' end as instrument,
 case when j % 2 = 0 then round(((i * 7 + j * 13) % 100) / 10.0, 1) else (i * 7 + j * 13) % 100
 end as value from range(1, {n} + 1) t(i), range({each}) s(j)) to '{file}' (header)"""
MAPPING = {
    "name": "bench",
    "feed": [
        {
            "source": "patients.csv",
            "table": "patients",
            "columns": {
                "patient_id": "patient_id",
                "site": "site",
                "sex": "sex",
                "age_years": "age",
            },
        },
        {
            "source": "patients.csv",
            "table": "episodes",
            "columns": {
                "patient_id": "patient_id",
                "treatment": "treatment",
                "treatment_date": "procedure_date",
                "fracture_date": "fracture_date",
            },
        },
        {
            "source": "scores.csv",
            "table": "scores",
            "columns": {
                "patient_id": "patient_id",
                "date": "visit_date",
                "instrument": "instrument",
                "value": "value",
            },
        },
    ],
}


def write_export(folder: Path, n_patients: int) -> None:
    connection = duckdb.connect()
    connection.execute(PATIENTS.format(n=n_patients, file=folder / "patients.csv"))
    scores = SCORES.format(n=n_patients, each=SCORES_EACH, file=folder / "scores.csv")
    connection.execute(scores)


def ours(folder: Path, out: Path) -> float:
    start = time.perf_counter()
    load(folder, mapping=MAPPING, key=b"bench").write(out)
    return time.perf_counter() - start


def bare(folder: Path, out: Path) -> float:
    start = time.perf_counter()
    connection = duckdb.connect()
    for name in ("patients", "scores"):
        query = f"copy (from read_csv('{folder}/{name}.csv')) to '{out}/{name}.parquet'"
        connection.execute(query)
    return time.perf_counter() - start


def by_pandas(folder: Path, out: Path) -> None:
    for name in ("patients", "scores"):
        pd.read_csv(folder / f"{name}.csv").to_parquet(out / f"{name}.parquet")


def tasks() -> list[Task]:
    """Scores to canonical Parquet; peers copy the same cells, unchecked, to Parquet."""
    room = Path(tempfile.mkdtemp(prefix="vertebro-bench-"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    found = []
    for n_patients in N_PATIENTS:
        export = room / str(n_patients)
        export.mkdir()
        write_export(export, n_patients)
        mine = partial(_afresh, export, room / "out")
        size = f"{n_patients * SCORES_EACH:,} scores"
        found += [
            Task(
                "registry export to canonical Parquet",
                size,
                mine,
                name,
                partial(peer, export, room),
                runs=1,
                turns=TURNS,
            )
            for name, peer in (
                ("DuckDB, no checks (floor)", bare),
                ("pandas, no checks", by_pandas),
            )
        ]
    return found


def _afresh(folder: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    ours(folder, out)


def compare(n_patients: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        folder.mkdir()
        write_export(folder, n_patients)
        peer = bare(folder, Path(name))
        mine = ours(folder, Path(name) / "out")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "patients": n_patients,
        "seconds": mine,
        "duckdb": peer,
        "ratio": mine / peer,
        "peak_mib": memory,
    }


if __name__ == "__main__":
    print(compare(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
