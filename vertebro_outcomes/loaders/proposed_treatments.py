"""Treatments in columns side by side, `treatment_1, date_1, treatment_2 ...`: each is an episode."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Slots = Mapping[tuple[str, str], Mapping[str, Any]]  # (table, number) -> cells or columns
REMARK: Final = (
    "treatments side by side are read as episodes; what has the number of a treatment belongs to it"
)
_TREATMENT: Final = ("episodes", "treatment")
_DATE: Final = ("episodes", "treatment_date")
_CEMENT: Final = ("episodes", "cement_ml")


def of_treatments(
    found: Mapping[tuple[str, str], Mapping[str, tuple[str, str]]], *, scored: bool
) -> dict[tuple[str, str], dict[str, tuple[str, str]]]:
    """Numbered columns, `date_1` beside `treatment_1` its date and `cement_1` without a level its cement.

    Where scores have numbers too (`scored`), a bare date may be that of a visit.
    """
    made = {key: dict(columns) for key, columns in found.items() if key[0] != "scores"}
    for table, number in found:
        told = made.get((table, number), {})
        if table != "episodes" or _TREATMENT not in told.values():
            continue
        if _DATE not in told.values() and not scored:
            told |= dict.fromkeys(list(found.get(("scores", number), {}))[:1], _DATE)
        vertebra = made.get(("levels", number), {})
        if ("levels", "level") not in vertebra.values():
            amounts = [c for c, meant in vertebra.items() if meant == ("levels", "cement_ml")]
            told |= dict.fromkeys(amounts[:1], _CEMENT)
        made[table, number] = told
    return made


def numbered(slots: Slots, keys: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Cells with the number of their treatment as that of the episode, where its date does not do.

    Vertebrae have no date of their own, and treatments without one would all be the same episode.
    """
    made = {key: dict(cells) for key, cells in slots.items()}
    treated = {
        n for (table, n), cells in slots.items() if table == "episodes" and "treatment" in cells
    }
    if "episode_id" in keys:  # a row is one episode already
        return {key: cells for key, cells in made.items() if key[0] != "episodes"}
    of_vertebrae = any("level" in slots.get(("levels", n), {}) for n in treated)
    dated = all("treatment_date" in slots["episodes", n] for n in treated)
    if treated and (of_vertebrae or not dated):
        for (table, n), cells in made.items():
            if n in treated and table in ("episodes", "levels"):
                cells["episode_id"] = {"constant": n}
    return made


def with_first(
    feeds: Sequence[dict[str, Any]], beside: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """All feeds; what stands beside the treatments without a number is told of the first of them."""
    slots = [feed for feed in beside if feed["table"] == "episodes"]
    bare = [
        feed
        for feed in feeds
        if feed["table"] == "episodes"
        and not {"treatment", "treatment_date"} & set(feed["columns"])
    ]
    if not slots or not bare:
        return [*feeds, *beside]
    first = {**slots[0], "columns": {**bare[0]["columns"], **slots[0]["columns"]}}
    return [
        *(f for f in feeds if f is not bare[0]),
        *(first if f is slots[0] else f for f in beside),
    ]
