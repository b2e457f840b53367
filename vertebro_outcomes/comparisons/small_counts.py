"""Small counts that leave a site are hidden, and so is what would tell them by a difference."""

from typing import Any

Lines = list[dict[str, Any]]


def hide_counts(lines: Lines, name: str, smallest: int) -> None:
    """Small counts become None; few of them take the next smallest along, so no total shows them."""
    small = [line for line in lines if 0 < line[name] < smallest]
    others = sorted((line for line in lines if line[name] >= smallest), key=lambda row: row[name])
    if small and sum(line[name] for line in small) < smallest:
        small += others[:1]
    for line in small:
        line[name] = None


def hide_at_risk(lines: Lines, n: int, smallest: int) -> None:
    """Numbers at risk become None where the difference from the last one shown would tell few.

    Who left, less the events and deaths that are shown, must be nobody or not a small number.
    """
    last, shown = n, 0
    for line in lines:
        left = last - line["at_risk"] - shown
        if 0 < line["at_risk"] < smallest or 0 < left < smallest:
            line["at_risk"] = None
        else:
            last, shown = line["at_risk"], 0
        shown += sum(line[name] or 0 for name in ("events", "deaths"))


def hide_parts(whole: dict[str, Any], parts: Lines, name: str, smallest: int) -> None:
    """Small counts become None, of patients with any event and of those with an event of one type.

    So do types that would tell a small count: all but few patients with any event had this type, or
    those shown leave few patients for the types that are hidden.
    """
    for line in (whole, *parts):
        if 0 < line[name] < smallest:
            line[name] = None
    total = whole[name]
    if total is None:
        return
    for line in parts:
        if line[name] is not None and 0 < total - line[name] < smallest:
            line[name] = None
    shown = sorted((line for line in parts if line[name]), key=lambda row: row[name])
    hidden = any(line[name] is None for line in parts)
    if shown and hidden and 0 < total - sum(line[name] for line in shown) < smallest:
        shown[0][name] = None
