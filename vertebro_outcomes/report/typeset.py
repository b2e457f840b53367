"""Sections and blocks as a typeset PDF: the same blocks as the page, no browser, the same bytes."""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display.tables import cell_text
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Fold,
    Heading,
    Prose,
    Switch,
    TableBlock,
    flat,
)
from vertebro_outcomes.report.page import Part
from vertebro_outcomes.report.typeset_text import literal, typst_of, words

_HERE: Final = Path(__file__).parent
_TEXT_WIDTH_PT: Final = 493.0  # A4 with the margins of page.typ
_SIZE: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_NARROWEST, _WIDEST = 6.0, 60.0  # letters of a column that still change its share of the line
_MANY_COLUMNS: Final = 6
_TAG: Final = re.compile(r"(<[^>]*>)")
_SIGN: Final = re.compile(r"(?<=\w)[_.:/](?=[a-z\d]*[_.:\w])(?!\d)")
_ZERO_WIDTH: Final = "\u200b"


def render_pdf(
    parts: Sequence[Part], *, title: str, lead: Markup | str, closing: Markup | str
) -> bytes:
    """The report as a PDF.

    Parameters
    ----------
    parts : sequence of Part
        Sections in printing order.
    title, lead, closing : str or Markup
        As for the page.

    Returns
    -------
    bytes
        The same for the same parts: no date, fonts from the environment only.
    """
    import matplotlib as mpl
    import typst

    blocks = [block for part in parts for block in flat(part.blocks)]
    files = {
        f"{block.name}.svg": block.svg.encode()
        for block in blocks
        if isinstance(block, FigureBlock)
    }
    text = typst_source(parts, title=title, lead=lead, closing=closing)
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    document: Any = {"main.typ": text.encode(), **files}  # a document with its files, by name
    done = typst.compile(
        document,
        format="pdf",
        font_paths=[fonts],
        ignore_system_fonts=True,
    )
    assert isinstance(done, bytes)
    return done


def typst_source(
    parts: Sequence[Part], *, title: str, lead: Markup | str, closing: Markup | str
) -> str:
    """The Typst document; figures are files beside it."""
    anchors = frozenset(_anchors(parts))
    lines = [
        (_HERE / "page.typ").read_text(encoding="utf-8"),
        f"#show: report.with(title: {literal(title)}, lead: [{typst_of(lead, anchors=anchors)}])",
    ]
    for part in parts:
        lines.append(_heading(part.title, part.identity, level=1))
        lines += [_block(block, anchors) for block in part.blocks]
    lines += ["#line(length: 100%, stroke: 0.4pt + rule)", typst_of(closing, anchors=anchors)]
    return "\n\n".join(lines) + "\n"


def _anchors(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        yield part.identity
        for block in flat(part.blocks):
            if isinstance(block, Heading):
                yield block.identity
            elif isinstance(block, TableBlock) and block.row_ids is not None:
                yield from filter(None, block.shown[block.row_ids])


def _heading(title: str, identity: str, *, level: int) -> str:
    return f"#heading(level: {level})[{words(title)}] #label({literal(identity)})"


def _block(block: Block, anchors: frozenset[str]) -> str:
    match block:
        case Prose():
            return typst_of(block.html, anchors=anchors)
        case Heading():
            return _heading(block.title, block.identity, level=2)
        case FigureBlock():
            return _figure(block)
        case TableBlock():
            return _table(block, anchors)
        case Switch():  # paper shows the first; the others are figures beside the report
            return "\n\n".join(_block(inner, anchors) for inner in block.options[0][1])
        case Fold():
            inside = "\n\n".join(_block(inner, anchors) for inner in block.blocks)
            return f"#heading(level: 3, outlined: false)[{words(block.summary)}]\n\n{inside}"


def _figure(block: FigureBlock) -> str:
    size = _SIZE.search(block.svg)
    assert size, "an SVG figure has a viewBox"
    width = float(size.group(1))
    shown = "100%" if width > _TEXT_WIDTH_PT else f"{width:g}pt"
    picture = f"image({literal(block.name + '.svg')}, width: {shown}, alt: {literal(block.alt)})"
    return f"#picture({picture}, [{words(block.caption)}])"


def _table(block: TableBlock, anchors: frozenset[str]) -> str:
    columns = [name for name in block.shown.columns if name != block.row_ids]
    numeric = [name in block.numeric for name in columns]
    heads = [words(str(block.labels.get(str(name), name))) for name in columns]
    named = block.row_ids is not None
    labels = block.shown[block.row_ids].tolist() if named else [""] * len(block.shown)
    rows = []
    for label, *cells in zip(labels, *(block.shown[c].tolist() for c in columns), strict=True):
        shown = [typst_of(_breakable(cell), anchors=anchors) for cell in cells]
        if label and shown:
            shown[0] = f"#metadata(none) #label({literal(str(label))}) {shown[0]}"
        rows.append(", ".join(f"[{cell}]" for cell in shown))
    widths = ", ".join(f"{share:.2f}fr" for share in _shares(block.shown[columns], heads))
    sides = ", ".join("right" if flag else "left" for flag in numeric)
    small = "6.5pt" if len(columns) > _MANY_COLUMNS else "8pt"
    return (
        f"#rows(caption: [{words(block.caption)}], widths: ({widths},), sides: ({sides},), "
        f"size: {small}, heads: ({', '.join(f'[{h}]' for h in heads)},),\n"
        + ",\n".join(rows)
        + ("," if rows else "")
        + ")"
    )


def _escaped(cell: object) -> Markup:
    return cell_text(cell)


def _breakable(cell: object) -> Markup:
    """A cell whose column names and line references may break at their signs."""
    pieces = _TAG.split(str(_escaped(cell)))  # text and tags in turn
    pieces[::2] = [
        _SIGN.sub(lambda found: found.group() + _ZERO_WIDTH, text) for text in pieces[::2]
    ]
    return Markup("".join(pieces))  # noqa: S704 (escaped above; only spaces were added)


def _shares(shown: pd.DataFrame, heads: Sequence[str]) -> list[float]:
    """Widths of columns by the length of their texts: long ones more, but not in proportion."""
    out = []
    for name, head in zip(shown.columns, heads, strict=True):
        texts = [len(_escaped(cell).striptags()) for cell in shown[name]]
        longest = max([*sorted(texts)[: max(1, math.ceil(0.9 * len(texts)))], len(head) - 4, 1])
        out.append(math.sqrt(min(max(longest, _NARROWEST), _WIDEST)))
    return out
