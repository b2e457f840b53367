"""Several files that each tell a part: of the same episodes, and of people no file lists whole."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.sources import Source

Feeds = Sequence[Mapping[str, Any]]
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


def _one_row_each(source: Source, column: str) -> bool:
    who = source.data[column]
    counts = source.data.aggregate(n=who.count(), people=who.nunique()).to_pyarrow()
    return bool(counts["n"][0].as_py() == counts["people"][0].as_py())
