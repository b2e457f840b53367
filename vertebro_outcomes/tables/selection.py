"""Which patients and episodes stay: the resolution of a mask or an expression."""

# ruff: noqa: PD003 -- isnull and notnull are the names Ibis gives them

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.tables.engine import store

if TYPE_CHECKING:
    import ibis.expr.types as ir

Tables = Mapping[str, "ir.Table"]
ARMS = ("VP", "KP", "NSM")
ALLOWED = (
    "a boolean Ibis expression over one table of this cohort, or a mask as long as its "
    "patients or episodes"
)


def select_rows(tables: Tables, mask_or_expression: Any) -> tuple["ir.Table", "ir.Table"]:
    """The patients and the episodes that stay."""
    import ibis.expr.types as ir

    if isinstance(mask_or_expression, ir.Value):
        name = _owner(tables, mask_or_expression)
        predicate = mask_or_expression.fill_null(False)
        return _follow(tables, name, tables[name].filter(predicate))
    mask = _as_mask(mask_or_expression)
    name = _table_of_mask(tables, mask)
    ids = f"{name[:-1]}_id"
    order = list(dict.fromkeys(("patient_id", ids)))
    frame = tables[name].order_by(order).select(ids).to_pyarrow().to_pandas()
    kept = pd.DataFrame({ids: frame[ids][mask.to_numpy()].astype("string[pyarrow]")})
    return _follow(tables, name, _semi(tables[name], _on_engine(tables[name], kept), ids))


def restrict(tables: Tables, patients: "ir.Table", episodes: "ir.Table") -> dict[str, "ir.Table"]:
    """Every table reduced to the rows of these patients and episodes.

    Those of the other tables are looked up by each question, which reads few of their columns: to
    store them all took more time and memory than most questions.
    """
    engine = patients.get_backend()
    patients = store(engine, "patients", patients)
    episodes = store(engine, "episodes", episodes)
    kept = {"patients": patients, "episodes": episodes}
    for name, table in tables.items():
        if name not in kept:
            own = _semi(table, patients.select("patient_id"), "patient_id")
            here = own.episode_id.isnull() | own.episode_id.isin(episodes.episode_id)
            kept[name] = own.filter(here)
    return kept


def attrition_line(tables: Tables, step: str = "in the cohort") -> dict[str, Any]:
    """`step n_patients n_VP n_KP n_NSM`: patients, and patients with an episode of each kind."""
    n_patients = tables["patients"].count().to_pyarrow().as_py()
    episodes = tables["episodes"]
    arms = episodes.filter(episodes.treatment.isin(ARMS))
    counted = arms.group_by("treatment").aggregate(n=arms.patient_id.nunique()).to_pyarrow()
    per_arm = dict(zip(counted["treatment"].to_pylist(), counted["n"].to_pylist(), strict=True))
    return line_of(n_patients, per_arm, step)


def line_of(
    n_patients: int, per_arm: Mapping[str, int], step: str = "in the cohort"
) -> dict[str, Any]:
    """The same of patients who have been counted, in all and by arm."""
    by_arm = {f"n_{arm}": per_arm.get(arm, 0) for arm in ARMS}
    return {"step": step, "n_patients": n_patients, **by_arm}


def _follow(tables: Tables, name: str, rows: "ir.Table") -> tuple["ir.Table", "ir.Table"]:
    patients, episodes = tables["patients"], tables["episodes"]
    if name == "episodes":
        return _semi(patients, rows, "patient_id"), rows
    kept = rows if name == "patients" else _semi(patients, rows, "patient_id")
    return kept, _semi(episodes, kept, "patient_id")


def _semi(table: "ir.Table", other: "ir.Table", key: str) -> "ir.Table":
    return table.semi_join(other.select(key).distinct(), key)


def _owner(tables: Tables, expression: Any) -> str:
    if not expression.type().is_boolean():
        raise refuse_argument("Cohort.keep", "mask_or_expression", expression.get_name(), ALLOWED)
    roots = set(expression.op().relations)
    for name, table in tables.items():
        if roots == {table.op()}:
            return name
    found = "an expression over several tables, or over a table of another cohort"
    problem = Problem("argument mask_or_expression", found, ALLOWED)
    next_step = "take the columns from the cohort that `keep` is called on"
    raise InputError("Cohort.keep()", [problem], next_step)


def _as_mask(values: Any) -> pd.Series:
    try:
        mask = pd.Series(np.asarray(values, dtype=object)).astype("boolean").fillna(False)
    except (TypeError, ValueError):
        raise refuse_argument("Cohort.keep", "mask_or_expression", type(values), ALLOWED) from None
    return mask.astype(bool)


def _table_of_mask(tables: Tables, mask: pd.Series) -> str:
    lengths = {name: tables[name].count().to_pyarrow().as_py() for name in ("patients", "episodes")}
    fitting = [name for name, length in lengths.items() if length == len(mask)]
    if len(fitting) == 2:  # the same order only where each patient has exactly one episode
        one_each = tables["episodes"].patient_id.nunique().to_pyarrow().as_py() == len(mask)
        fitting = ["patients"] if one_each else []
    if fitting:
        return fitting[0]
    found = f"a mask of {len(mask)}; patients {lengths['patients']}, episodes {lengths['episodes']}"
    raise refuse_argument("Cohort.keep", "mask_or_expression", found, ALLOWED)


def _on_engine(like: "ir.Table", frame: pd.DataFrame) -> "ir.Table":
    import pyarrow as pa

    arrow = pa.table({name: pa.array(frame[name], pa.string()) for name in frame})
    return store(like.get_backend(), "kept", arrow)
