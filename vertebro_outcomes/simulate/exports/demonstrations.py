"""The demonstration registries of data/raw/registries: one simulated truth in five formats."""

from pathlib import Path
from typing import Final

import pandas as pd

from vertebro_outcomes.simulate.exports.export import export_registry
from vertebro_outcomes.simulate.registry import simulate_registry

N_PATIENTS: Final = 3000
SEED: Final = 20
SCENARIO: Final = "confounded"
FORMATS: Final = ("csv", "excel", "omop", "redcap", "stata")


def write_demonstrations(folder: str | Path, *, formats: tuple[str, ...] = FORMATS) -> pd.DataFrame:
    """Write `demo_csv`, `demo_excel` ... into a folder; the same bytes every time.

    Parameters
    ----------
    folder : path
        Such as ``data/raw/registries``; folders of an earlier run are replaced.
    formats : tuple of str
        Names among `export_formats()`.

    Returns
    -------
    DataFrame
        `format files bytes`, one row per export.
    """
    cohort, _ = simulate_registry(n_patients=N_PATIENTS, seed=SEED, scenario=SCENARIO)
    rows = []
    for name in formats:
        target = Path(folder) / f"demo_{name}"
        export_registry(cohort, target, format=name, seed=SEED)
        sizes = [file.stat().st_size for file in target.iterdir()]
        rows.append({"format": name, "files": len(sizes), "bytes": sum(sizes)})
    return pd.DataFrame(rows)
