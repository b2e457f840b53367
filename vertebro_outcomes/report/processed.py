"""The canonical tables as Parquet files in data/processed."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.report.files import write_folder


def write_tables(literature: Literature, *, folder: Path, inputs: Mapping[str, Any]) -> None:
    """Write every literature table to `folder/literature/<table>.parquet`, and the record of inputs.

    Parameters
    ----------
    literature : Literature
        As `load_literature` gives.
    folder : Path
        Made if it is not there; tables of a former run that are no longer written are removed.
    inputs : mapping
        What `report.digest.inputs_of` says about the inputs.
    """
    files = {
        f"literature/{name}.parquet": parquet(table) for name, table in literature.tables.items()
    }
    write_folder(folder, files, provenance={"inputs": dict(inputs)})


def parquet(table: pd.DataFrame) -> bytes:
    """A table as Parquet; the same table gives the same bytes."""
    target = io.BytesIO()
    table.to_parquet(target, index=False, engine="pyarrow")
    return target.getvalue()
