"""Sections and blocks as a typeset PDF: the same blocks as the page, no browser, the same bytes."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display.tables import cell_text
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Fold,
    Heading,
    Paper,
    Prose,
    Switch,
    TableBlock,
)
from vertebro_outcomes.report.typeset_text import literal, typst_of, words

_HERE: Final = Path(__file__).parent
_TEXT_WIDTH_PT: Final = 493.0  # A4 with the margins of page.typ
_TALLEST_PT: Final = 330.0  # two pictures to a page
_SCALE: Final = 0.75  # letters of 9 pt become 6.75 pt; the widest pictures a little less
_SIZE: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_NARROWEST, _WIDEST = 6.0, 140.0  # letters of a column that still change its share of the line
_MANY_COLUMNS: Final = 6
_TAG: Final = re.compile(r"(<[^<>]*>)")
_SIGN: Final = re.compile(r"(?<=\w)[_.:/](?=[a-z\d]*[_.:\w])(?!\d)")
# Quotes inside texts are escaped, so these meet markup only.
_LABEL: Final = re.compile(r'#label\("([^"\\]+)"\)')
_TO_LABEL: Final = re.compile(r'#link\(label\("([^"\\]+)"\)\)\[')
_PICTURE: Final = re.compile(r'image\("([^"\\]+)"')
_PIXELS_PER_INCH: Final = 144.0
_INTERVAL: Final = re.compile(r"\(([^\s()]+) to ([^\s()]+)\)")
_LONGEST_WHOLE: Final = 500  # letters of a cell that still fits on one page in every column
_CITED: Final = re.compile(r"/\*cited\*/\n(.*?,\n)(/\*.*?)(\))\n/\*end\*/", re.DOTALL)
_CITED_ROW: Final = re.compile(r"^/\*([\w-]+)\*/(.*)$", re.MULTILINE)
_ZERO_WIDTH: Final = "\u200b"


def typst_blocks(title: str, identity: str, blocks: Sequence[Block]) -> str:
    """A section as Typst markup; links to other sections are settled by `typst_source`."""
    return "\n\n".join([_heading(title, identity, level=1), *map(_block, blocks)])


def typst_source(
    parts: Sequence[str], *, title: str, lead: Markup | str, closing: Markup | str
) -> str:
    """The Typst document of all sections; a link to a place that is not in it becomes plain words."""
    lines = [
        (_HERE / "page.typ").read_text(encoding="utf-8"),
        f"#show: report.with(title: {literal(title)}, lead: [{typst_of(lead)}], "
        f"sections: {len(parts)})",
        *parts,
        "#line(length: 100%, stroke: 0.4pt + rule)",
        typst_of(closing),
    ]
    text = _cited("\n\n".join(lines) + "\n")
    there = set(_LABEL.findall(text))
    return _TO_LABEL.sub(lambda found: found[0] if found[1] in there else "#[", text)


def _cited(text: str) -> str:
    """Without the rows that nothing links to, and without tables that lose all their rows."""
    wanted = set(_TO_LABEL.findall(text))

    def table(found: re.Match[str]) -> str:
        rows = _CITED_ROW.findall(found[2])
        kept = [row for label, row in rows if label in wanted]
        return found[1] + "\n".join(kept) + found[3] if kept else ""

    return _CITED.sub(table, text)


def render_pdf(source: str, files: Mapping[str, bytes]) -> bytes:
    """A Typst document as PDF.

    Parameters
    ----------
    source : str
        Of `typst_source`.
    files : mapping
        Pictures by the path that the document uses.

    Returns
    -------
    bytes
        The same for the same document: no date, fonts from the environment only.
    """
    used = {name: files[name] for name in sorted(set(_PICTURE.findall(source)))}
    return _compiled(source, used, form="pdf")[0]


def as_png(pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """SVG pictures as PNG at 144 dots per inch on white, by the same names; the same bytes every time."""
    if not pictures:
        return {}
    pages = [f"#image({literal(name)})" for name in pictures]
    head = "#set page(width: auto, height: auto, margin: 0pt, fill: white)\n"
    drawn = _compiled(head + "\n#pagebreak()\n".join(pages), pictures, form="png")
    return dict(zip(pictures, drawn, strict=True))


def _compiled(
    source: str, files: Mapping[str, bytes], *, form: Literal["pdf", "png"]
) -> list[bytes]:
    import matplotlib as mpl
    import typst

    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    document: Any = {"main.typ": source.encode(), **files}  # a document with its files, by name
    options: Any = {"ppi": _PIXELS_PER_INCH} if form == "png" else {}
    done = typst.compile(
        document, format=form, font_paths=[fonts], ignore_system_fonts=True, **options
    )
    assert done is not None
    return done if isinstance(done, list) else [done]


def _heading(title: str, identity: str, *, level: int) -> str:
    return f"#heading(level: {level})[{words(title)}] #label({literal(identity)})"


def _block(block: Block) -> str:
    match block:
        case Prose():
            return typst_of(block.html)
        case Heading():
            return _heading(block.title, block.identity, level=2)
        case FigureBlock():
            return _figure(block)
        case TableBlock():
            return _table(block)
        case Switch():  # paper shows the first; the others are figures beside the report
            return "\n\n".join(_block(inner) for inner in block.options[0][1])
        case Paper():
            return "\n\n".join(_block(inner) for inner in block.paper)
        case Fold() if block.printed:
            return "\n\n".join(_block(inner) for inner in block.printed)
        case Fold():
            inside = "\n\n".join(_block(inner) for inner in block.blocks)
            return f"#heading(level: 3, outlined: false)[{words(block.summary)}]\n\n{inside}"


def _figure(block: FigureBlock) -> str:
    size = _SIZE.search(block.svg)
    assert size, "an SVG figure has a viewBox"
    width = float(size.group(1))
    width = min(_SCALE * width, _TEXT_WIDTH_PT, _TALLEST_PT * width / float(size.group(2)))
    file = literal(f"figures/{block.name}.svg")
    picture = f"image({file}, width: {width:.6g}pt, alt: {literal(block.alt)})"
    return f"#picture({picture}, [{words(block.caption)}])"


def _table(block: TableBlock) -> str:
    columns = [name for name in block.shown.columns if name != block.row_ids]
    numeric = [name in block.numeric for name in columns]
    heads = [words(str(block.labels.get(str(name), name))) for name in columns]
    named = block.row_ids is not None
    labels = block.shown[block.row_ids].tolist() if named else [""] * len(block.shown)
    rows, longest = [], 0
    for label, *cells in zip(labels, *(block.shown[c].tolist() for c in columns), strict=True):
        shown = [typst_of(_breakable(cell)) for cell in cells]
        longest = max([longest, *(len(_escaped(cell)) for cell in cells)])
        if label and shown:
            shown[0] = f"#metadata(none) #label({literal(str(label))}) {shown[0]}"
        mark = f"/*{label}*/" if block.cited_only else ""
        rows.append(mark + ", ".join(f"[{cell}]" for cell in shown))
    widths = ", ".join(f"{share:.2f}fr" for share in _shares(block.shown[columns], heads))
    sides = ", ".join("right" if flag else "left" for flag in numeric)
    small = "6.5pt" if len(columns) > _MANY_COLUMNS else "8pt"
    caption = "none" if block.repeats else f"[{words(block.caption)}]"
    whole = "true" if longest <= _LONGEST_WHOLE else "false"
    text = (
        f"#rows(caption: {caption}, widths: ({widths},), sides: ({sides},), "
        f"size: {small}, whole: {whole}, heads: ({', '.join(f'[{h}]' for h in heads)},),\n"
        + ",\n".join(rows)
        + ("," if rows else "")
        + ")"
    )
    return f"/*cited*/\n{text}\n/*end*/" if block.cited_only else text


def _escaped(cell: object) -> Markup:
    return cell_text(cell)


def _breakable(cell: object) -> Markup:
    """A cell whose column names and line references may break at their signs, and intervals may not."""
    pieces = _TAG.split(str(_escaped(cell)))  # text and tags in turn
    pieces[::2] = [
        _INTERVAL.sub(_one_piece, _SIGN.sub(lambda found: found.group() + _ZERO_WIDTH, text))
        for text in pieces[::2]
    ]
    return Markup("".join(pieces))  # noqa: S704 (escaped above; only spaces were added)


def _one_piece(found: re.Match[str]) -> str:
    return found.group().replace(_ZERO_WIDTH, "").replace(" ", "\N{NO-BREAK SPACE}")


def _shares(shown: pd.DataFrame, heads: Sequence[str]) -> list[float]:
    """Widths of columns by the length of their texts: long ones more, but not in proportion."""
    out = []
    for name, head in zip(shown.columns, heads, strict=True):
        texts = [len(_escaped(cell).striptags()) for cell in shown[name]]
        longest = max([*sorted(texts)[: max(1, math.ceil(0.9 * len(texts)))], len(head) - 4, 1])
        out.append(math.sqrt(min(max(longest, _NARROWEST), _WIDEST)))
    return out
