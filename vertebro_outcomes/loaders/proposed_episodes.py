"""Several files that each tell a part: of the same episodes, and of people no file lists whole."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.sources import Source

Feeds = Sequence[Mapping[str, Any]]
_INSTANCES: Final = ("redcap_repeat_instance", "repeat instance")
# Two files that both tell one of these may each tell of an episode of its own.
_WHAT_WAS_DONE: Final = ("treatment", "treatment_date")


def without_bare_lists(feeds: Feeds) -> list[Mapping[str, Any]]:
    """Feeds without lists of identifiers alone, where other files may tell of further people."""
    bare = [feed for feed in feeds if feed["table"] == "patients" and len(feed["columns"]) == 1]
    whole = [feed for feed in feeds if feed["table"] == "patients" and len(feed["columns"]) > 1]
    several = len({feed["source"] for feed in feeds}) > 1
    listed = {feed["source"] for feed in feeds if feed not in bare}
    if whole or not several:
        return list(feeds)
    return [feed for feed in feeds if feed not in bare or feed["source"] not in listed]


def tells_parts(sources: Sequence[Source], feeds: Feeds) -> bool:
    """Whether files tell different parts of one episode per patient: diagnosis here, operation there.

    Each has one row per patient and no number of the episode, and one alone says what was done when.
    """
    parts = [feed for feed in feeds if feed["table"] == "episodes"]
    if len({feed["source"] for feed in parts}) < 2:
        return False
    told = [name for feed in parts for name in feed["columns"]]
    if "episode_id" in told or any(told.count(name) > 1 for name in _WHAT_WAS_DONE):
        return False
    named = {source.name: source for source in sources}
    return all(
        _one_row_each(named[feed["source"]], feed["columns"]["patient_id"]["column"])
        for feed in parts
    )


def comes_again(sources: Sequence[Source], feeds: Feeds) -> bool:
    """Whether a form of a project that may be filled in again tells of several treatments of somebody.

    Everything that is told of an episode must stand beside its date, so that it is known of which.
    """
    named = {source.name: source for source in sources}
    return any(
        _is_repeated(named[feed["source"]], feed["columns"])
        for feed in feeds
        if feed["table"] == "episodes" and "treatment_date" in feed["columns"]
    )


def _is_repeated(source: Source, cells: Mapping[str, Any]) -> bool:
    instance = next((c for c in source.columns if c.lower() in _INSTANCES), None)
    if instance is None:
        return False
    date = cells["treatment_date"]["column"]
    others = [cell["column"] for cell in cells.values() if "column" in cell]
    who = cells["patient_id"]["column"]
    data = source.cells
    apart: Any = data[instance].isnull() & data[date].notnull()
    for column in others:
        if column not in (who, date):
            apart = apart | (data[column].notnull() & data[date].isnull())
    dates = data.group_by(who=data[who]).aggregate(n=data[date].nunique())
    again = (dates.n > 1).any().to_pyarrow().as_py()
    return bool(again and not apart.any().to_pyarrow().as_py())


def _one_row_each(source: Source, column: str) -> bool:
    who = source.cells[column]
    counts = source.cells.aggregate(n=who.count(), people=who.nunique()).to_pyarrow()
    return bool(counts["n"][0].as_py() == counts["people"][0].as_py())
