"""Simulated registries too large for memory: canonical Parquet, written block by block."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.simulate.potential import BLOCK, draw_block
from vertebro_outcomes.simulate.recording import record_block
from vertebro_outcomes.simulate.registry import check_request, is_whole
from vertebro_outcomes.simulate.scenarios import SCENARIOS, ScenarioName
from vertebro_outcomes.simulate.truth import Truth, true_effects
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.schema import Table
from vertebro_outcomes.tables.storage import LAYOUT, MANIFEST, is_replaceable
from vertebro_outcomes.tables.typed_frames import ARROW

MOST_ON_DISK: Final = 99_999_999  # ids have eight digits
_LEDGERS: Final = {
    "rejects": "source_file,line,column,found,rule",
    "accounting": "source_file,rows_in,rows_used,rows_rejected,rows_ignored",
    "ignored": "source_file,rule,rows",
    "unmapped": "source_file,column,reason",
}


def simulate_to(
    folder: str | Path,
    *,
    n_patients: int,
    seed: int,
    scenario: ScenarioName = "confounded",
    chunk_patients: int = 8 * BLOCK,
) -> Truth:
    """Write a simulated registry of any size; `vo.load(folder)` reads it.

    Parameters
    ----------
    folder : path
        A new or empty folder, or one that holds a cohort written before.
    n_patients : int
        Patients, 1 to 99,999,999.
    seed : int
        Not negative.
    scenario : str
        As in `simulate_registry`.
    chunk_patients : int
        Patients in memory at a time, from 1. The patients do not depend on it.

    Returns
    -------
    Truth
        The true effects of the scenario; `truth.csv` in the folder holds them too.

    Raises
    ------
    InputError
        For a number out of range, an unknown scenario, or a folder that holds something else.
    """
    check_request(n_patients, seed, scenario, most=MOST_ON_DISK)
    if not is_whole(chunk_patients, low=1):
        allowed = "a whole number from 1"
        raise refuse_argument("simulate_to", "chunk_patients", chunk_patients, allowed)
    folder = Path(folder)
    if folder.exists() and not is_replaceable(folder):
        problem = Problem("argument folder", f"{folder.name} holds other files", "a new folder")
        raise InputError("simulate_to()", [problem], "choose an empty or a new folder")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    blocks = _blocks(n_patients, seed, scenario)
    counts = _write_tables(partial, blocks, groups=max(1, chunk_patients // BLOCK))
    truth = true_effects(scenario)
    _write_ledgers(partial, counts, name=f"simulated registry, scenario {scenario}, seed {seed}")
    truth.to_frame().to_csv(partial / "truth.csv", index=False, lineterminator="\n")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return truth


def _blocks(n_patients: int, seed: int, scenario: str) -> Iterator[dict[str, pd.DataFrame]]:
    for number in range(-(-n_patients // BLOCK)):
        first = min(BLOCK, n_patients - number * BLOCK)
        yield record_block(draw_block(seed, number, SCENARIOS[scenario]), number, first=first)


def _write_tables(
    folder: Path, blocks: Iterator[dict[str, pd.DataFrame]], *, groups: int
) -> dict[str, int]:
    """One row group per block: the same bytes however many blocks are held in memory."""
    import pyarrow.parquet as pq

    writers = {
        name: pq.ParquetWriter(folder / f"{name}.parquet", _schema(table))
        for name, table in STORED.items()
    }
    counts = dict.fromkeys(("n_patients", "n_VP", "n_KP", "n_NSM"), 0)
    held: list[dict[str, pd.DataFrame]] = []
    try:
        for block in blocks:
            held.append(block)
            counts["n_patients"] += len(block["patients"])
            for arm, n in block["episodes"]["treatment"].value_counts().items():
                counts[f"n_{arm}"] += int(n)
            if len(held) >= groups:
                _flush(writers, held)
        _flush(writers, held)
    finally:
        for writer in writers.values():
            writer.close()
    return counts


def _flush(writers: dict[str, Any], held: list[dict[str, pd.DataFrame]]) -> None:
    for block in held:
        for name, writer in writers.items():
            if name in block and len(block[name]):
                writer.write_table(_typed(block[name], STORED[name]))
    held.clear()


def _schema(table: Table) -> Any:
    import pyarrow as pa

    return pa.schema([(column.name, ARROW[column.type]) for column in table.columns])


def _typed(frame: pd.DataFrame, table: Table) -> Any:
    """The declared columns in their order; what follows from other columns is filled in."""
    import pyarrow as pa

    if table.name == "episodes":
        frame = frame.assign(fracture_age_days=-frame["fracture_day"])
    columns = [
        pa.array(frame[c.name], type=ARROW[c.type], from_pandas=True)
        if c.name in frame.columns
        else pa.nulls(len(frame), ARROW[c.type])
        for c in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=_schema(table))


def _write_ledgers(folder: Path, counts: dict[str, int], *, name: str) -> None:
    for ledger, header in _LEDGERS.items():
        (folder / f"{ledger}.csv").write_text(header + "\n", encoding="utf-8")
    line = {"step": "in the cohort", **counts}
    pd.DataFrame([line]).to_csv(folder / "attrition.csv", index=False, lineterminator="\n")
    manifest = {"layout": LAYOUT, "name": name, "synthetic": True, "notes": [], "inputs": {}}
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
