"""What a section is made of: prose bound to results, figures, tables, folded details."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup, escape

_TAG_OR_FIELD = re.compile(r"<[^<>]*>|\{[^{}]*\}|&#?\w+;")


@dataclass(frozen=True)
class Prose:
    """A piece of running text, safe to print."""

    html: Markup


@dataclass(frozen=True)
class FigureBlock:
    """A figure: `name` is its file name, `alt` says what it shows to those who cannot see it."""

    name: str
    svg: str
    alt: str
    caption: str


@dataclass(frozen=True)
class TableBlock:
    """A table: `shown` holds printed cells, `data` the numbers in full for the CSV file.

    A caption that `repeats` the heading above it is kept for screen readers only. With `cited_only`
    paper prints the rows (by `row_ids`) that something else in the report links to.
    """

    name: str
    shown: pd.DataFrame
    data: pd.DataFrame
    caption: str
    labels: Mapping[str, str] = field(default_factory=dict)
    numeric: Collection[str] = ()
    row_ids: str | None = None
    repeats: bool = False
    cited_only: bool = False


@dataclass(frozen=True)
class Fold:
    """Blocks that wait behind a line the reader can open; on paper `printed` stands instead, if given."""

    summary: str
    blocks: "tuple[Block, ...]"
    printed: "tuple[Block, ...]" = ()


@dataclass(frozen=True)
class Switch:
    """Alternatives of which the reader sees one: label and blocks, the first shown at first."""

    name: str
    legend: str
    options: "tuple[tuple[str, tuple[Block, ...]], ...]"


@dataclass(frozen=True)
class Paper:
    """Blocks of the page for which paper has others, mostly fewer."""

    screen: "tuple[Block, ...]"
    paper: "tuple[Block, ...]"


@dataclass(frozen=True)
class Heading:
    """A heading below the section's own; `identity` is its anchor."""

    title: str
    identity: str


Block = Prose | FigureBlock | TableBlock | Fold | Switch | Paper | Heading


def flat(blocks: "Iterable[Block]") -> "Iterator[Block]":
    """Every block, those inside folds and switches too."""
    for block in blocks:
        if isinstance(block, Fold):
            yield from flat(block.blocks)
        elif isinstance(block, Switch):
            for _, inside in block.options:
                yield from flat(inside)
        elif isinstance(block, Paper):
            yield from flat(block.screen)
        else:
            yield block


def prose(template: str, **values: object) -> Prose:
    """A paragraph; every number in it must come in through `values`, escaped on the way.

    Parameters
    ----------
    template : str
        HTML with `{names}`; a digit outside tags and names is refused, because a number written
        by hand does not follow the results.
    **values
        What the names stand for; `Markup` is kept, everything else is escaped.

    Returns
    -------
    Prose
    """
    return Prose(Markup("<p>{}</p>").format(bound(template, **values)))


def bullets(items: Collection[Markup]) -> Prose:
    """A list, one item per line; items come from `bound`."""
    return Prose(
        Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(i) for i in items)
        )
    )


def bound(template: str, **values: object) -> Markup:
    """The text of `prose` without its paragraph."""
    assert not re.search(r"\d", _TAG_OR_FIELD.sub("", template)), f"unbound number: {template}"
    return Markup(template).format(**values)  # noqa: S704 (templates are ours, values are escaped)


def link(target: str, text: object) -> Markup:
    """A link; `target` is an anchor of the page or an https address."""
    return Markup('<a href="{}">{}</a>').format(target, text)


def anchor(text: str) -> str:
    """A text as an id: letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def joined(items: Collection[object], separator: str = ", ") -> Markup:
    """Escaped items in one cell or sentence."""
    return Markup(separator).join(escape(item) for item in items)  # noqa: S704
