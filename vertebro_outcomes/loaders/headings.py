"""Headers in two rows: `VAS` above `before` and `6 weeks` is read as `VAS before`, `VAS 6 weeks`."""

from collections import Counter
from collections.abc import Sequence

from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.instrument_words import instrument_in
from vertebro_outcomes.loaders.named_times import timepoint_days

LEAST_GROUPS = 2


def joined_titles(above: Sequence[str], header: Sequence[str]) -> list[str]:
    """Titles with the heading of their group, where they need it or mean something else by it."""
    groups = _spread(above, len(header))
    if len({group for group in groups if group}) < LEAST_GROUPS or not _are_words(above):
        return list(header)
    often = Counter(header)
    return [
        f"{group} {title}".strip() if group and _needs(group, title, often[title]) else title
        for group, title in zip(groups, header, strict=True)
    ]


def _needs(group: str, title: str, often: int) -> bool:
    whole = f"{group} {title}"
    scored = instrument_in(whole) is not None and timepoint_days(whole) is not None
    if scored and (instrument_in(title) is None or timepoint_days(title) is None):
        return True
    meant = meaning_of(whole)
    return (often > 1 or not title or meant is not None) and meant != meaning_of(title)


def with_second_row(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str] | None:
    """The header joined with the row below it, if that row holds nothing but headings.

    Where the first row has a title of its own the second is blank, and words elsewhere.
    """
    if len(rows) < 2:
        return None
    width = max(len(header), *(len(row) for row in rows[:2]))
    top, below = ([*cells, *[""] * (width - len(cells))] for cells in (header, rows[0]))
    groups = _spread(top, width)
    often = Counter(groups)
    own = [place for place in range(width) if groups[place] and often[groups[place]] == 1]
    shared = [place for place in range(width) if groups[place] and often[groups[place]] > 1]
    blank_above_own = all(not below[place].strip() for place in own)
    named = all(below[place].strip() for place in shared)
    if not (shared and blank_above_own and named and _are_words(below)):
        return None
    if not own:  # groups alone: the row of data below must look otherwise
        numbers = any(cell.strip().isdigit() for cell in rows[1])
        return joined_titles(header, below) if numbers else None
    return [f"{group} {title}".strip() for group, title in zip(groups, below, strict=True)]


def _spread(cells: Sequence[str], width: int) -> list[str]:
    """Each heading over the blank cells to its right, as merged cells are written."""
    said, last = [], ""
    for place in range(width):
        last = (cells[place].strip() if place < len(cells) else "") or last
        said.append(last)
    return said


def _are_words(cells: Sequence[str]) -> bool:
    return all(any(letter.isalpha() for letter in cell) for cell in cells if cell.strip())
