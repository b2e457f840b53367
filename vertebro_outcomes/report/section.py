"""One section of the report: where it stands, what it is called, what builds it."""

from collections.abc import Callable
from dataclasses import dataclass

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.report.blocks import Block, anchor
from vertebro_outcomes.report.study import Study


@dataclass(frozen=True)
class Section:
    """`build` turns the study into blocks; sections are printed by `order`, then title."""

    order: int
    title: str
    build: Callable[[Study], tuple[Block, ...]]

    @property
    def identity(self) -> str:
        """The anchor of the section."""
        return anchor(self.title)


def sections() -> list[Section]:
    """Every section declared in `report/sections/`, in printing order."""
    found: list[Section] = declarations("vertebro_outcomes.report.sections", "SECTION")
    return sorted(found, key=lambda section: (section.order, section.title))
