"""DataFrames -> canonical Ibis tables, or every reason why not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.tables.checks import find_problems
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.engine import embedded_engine, store
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument
from vertebro_outcomes.tables.schema import Table
from vertebro_outcomes.tables.typed_frames import to_arrow

if TYPE_CHECKING:
    import ibis.expr.types as ir

NEXT_STEP = "correct the frames; vo.TABLES lists every column with its type, unit and range"


def cohort_tables_from_frames(
    frames: Mapping[str, pd.DataFrame | None],
    engine: Any = None,
    instruments: Mapping[str, Instrument] = INSTRUMENTS,
) -> dict[str, "ir.Table"]:
    """Every stored table, typed and checked, on `engine`."""
    given = {name: frame for name, frame in frames.items() if frame is not None}
    problems = [p for name, frame in given.items() for p in _shape_problems(name, frame)]
    if problems:
        raise InputError("Cohort.from_frames()", problems, NEXT_STEP)
    given = {name: _with_episode_ids(name, frame, given) for name, frame in given.items()}
    engine = engine if engine is not None else embedded_engine()
    tables: dict[str, ir.Table] = {}
    for name, declared in STORED.items():
        frame = given.get(name, pd.DataFrame())
        arrow, wrong = to_arrow(frame, declared, name=f"table {name}")
        problems += wrong
        tables[name] = store(engine, name, arrow)
    filled = [name for name in STORED if name in given and len(given[name])]
    problems += find_problems(tables, instruments, filled=filled)
    if problems:
        raise InputError("Cohort.from_frames()", problems, NEXT_STEP)
    return tables


def _shape_problems(name: str, frame: Any) -> list[Problem]:
    declared: Table = STORED[name]
    if not isinstance(frame, pd.DataFrame):
        return [Problem(f"argument {name}", f"a {type(frame).__name__}", "a DataFrame")]
    missing = [c for c in declared.columns if c.required and c.name not in frame.columns]
    problems = [
        Problem(f"table {name}, column {c.name}", "missing", f"a column {c.name} ({c.meaning})")
        for c in missing
    ]
    repeated = frame.columns[frame.columns.duplicated()]
    problems += [
        Problem(f"table {name}, column {c}", "stands twice in the frame", "once") for c in repeated
    ]
    taken = {word.lower(): word for word in (*map(str, frame.columns), *declared.names)}
    return problems + [
        Problem(
            f"table {name}, column {c}",
            f"differs from {taken[c.lower()]} in capitals alone",
            "another name",
        )
        for c in map(str, frame.columns)
        if taken[c.lower()] != c
    ]


def _with_episode_ids(
    name: str, frame: pd.DataFrame, given: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Without ids of their own, a patient's single episode carries the patient's id."""
    if name in ("patients",) or "patient_id" not in frame.columns:
        return frame
    if "episode_id" in frame.columns and name == "episodes":
        return frame
    if "episode_id" in frame.columns and frame["episode_id"].notna().all():
        return frame
    episodes = given["episodes"]
    single = episodes.loc[~episodes["patient_id"].duplicated(keep=False)]
    if "episode_id" not in episodes.columns:
        ids = episodes["patient_id"].drop_duplicates()
        own = pd.Series(ids.to_numpy(), index=ids.to_numpy())
    else:
        own = single.set_index("patient_id")["episode_id"]
    known = frame["patient_id"].map(own)
    if "episode_id" in frame.columns:
        known = frame["episode_id"].where(frame["episode_id"].notna(), known)
    return frame.assign(episode_id=known)
