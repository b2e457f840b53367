"""Sections and blocks as a typeset PDF: the same blocks as the page, no browser, the same bytes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

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
from vertebro_outcomes.report.typeset_columns import column_widths
from vertebro_outcomes.report.typeset_text import literal, typst_of, words

_HERE: Final = Path(__file__).parent
_TEXT_WIDTH_PT: Final = 510.0  # A4 with the margins of page.typ
_TALLEST_PT: Final = 650.0
_SCALE: Final = 0.8  # letters of 9 pt become 7.2 pt, those of the widest forest plots 7.1 pt
_SIZE: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_MANY_COLUMNS: Final = 6
_TAG: Final = re.compile(r"(<[^<>]*>)")
_SIGN: Final = re.compile(r"(?<=\w)[_.:/](?=[a-z\d]*[_.:\w])(?!\d)")
# Quotes inside texts are escaped, so these meet markup only.
_LABEL: Final = re.compile(r'#label\("([^"\\]+)"\)')
_TO_LABEL: Final = re.compile(r'#link\(label\("([^"\\]+)"\)\)\[')
_PICTURE: Final = re.compile(r'image\("([^"\\]+)"')
_PIXELS_PER_INCH: Final = 144.0
_INTERVAL: Final = re.compile(r"\(([^\s()]+) to ([^\s()]+)\)")
_SHORT: Final = 600  # letters of a text that stays with the figure or table below it
_FEW_ROWS: Final = 12  # of a table that is not divided
_LONGEST_WHOLE: Final = 500  # letters of a cell that still fits on one page in every column
_CITED: Final = re.compile(r"/\*cited\*/\n(.*?,\n)(/\*.*?)(\))\n/\*end\*/", re.DOTALL)
_NONE_CITED: Final = "This report refers to none of these rows."
_CITED_ROW: Final = re.compile(r"^/\*([\w-]+)\*/(.*)$", re.MULTILINE)
_ZERO_WIDTH: Final = "\u200b"


def typst_blocks(title: str, identity: str, blocks: Sequence[Block]) -> str:
    """A section as Typst markup; links to other sections are settled by `typst_source`."""
    return "\n\n".join([_heading(title, identity, level=1), *_with_next(blocks)])


def _with_next(blocks: Sequence[Block]) -> list[str]:
    """The blocks as markup; short texts before a figure or table stay on its page."""
    out: list[str] = []
    leads = False  # whether the block below is a figure or table, or text that stays with one
    for block in reversed(blocks):
        text = _block(block)
        if isinstance(block, Prose):
            leads = leads and len(block.html.striptags()) <= _SHORT
            out.append(f"#leading[{text}]" if leads else text)
        else:
            out.append(text)
            leads = isinstance(block, FigureBlock | Switch | TableBlock)
    return out[::-1]


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
    """Without the rows that nothing links to; a table that loses all its rows says so."""
    wanted = set(_TO_LABEL.findall(text))

    def table(found: re.Match[str]) -> str:
        rows = _CITED_ROW.findall(found[2])
        kept = [row for label, row in rows if label in wanted]
        return found[1] + "\n".join(kept) + found[3] if kept else _NONE_CITED

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
            return "\n\n".join(_with_next(block.options[0][1]))
        case Paper():
            return "\n\n".join(_with_next(block.paper))
        case Fold() if block.printed:
            return "\n\n".join(_with_next(block.printed))
        case Fold():
            inside = "\n\n".join(_with_next(block.blocks))
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
    small = 6.5 if len(columns) > _MANY_COLUMNS else 8.0
    texts = [[_escaped(cell).striptags() for cell in block.shown[name]] for name in columns]
    named_as = [str(block.labels.get(str(name), name)) for name in columns]
    shares = column_widths(texts, named_as, line_pt=_TEXT_WIDTH_PT, letter_pt=small)
    widths = ", ".join(f"{share:.2f}fr" for share in shares)
    sides = ", ".join("right" if flag else "left" for flag in numeric)
    here = f"#metadata(none) #label({literal(f'table-{block.name}')}) "
    caption = "none" if block.repeats else f"[{here}{words(block.caption)}]"
    whole = "true" if longest <= _LONGEST_WHOLE else "false"
    heads = ", ".join(f"[{words(head)}]" for head in named_as)
    few = len(rows) <= _FEW_ROWS and longest <= _LONGEST_WHOLE and not block.cited_only
    together = "true" if few else "false"
    text = (
        f"#rows(caption: {caption}, widths: ({widths},), sides: ({sides},), "
        f"size: {small:g}pt, whole: {whole}, together: {together}, heads: ({heads},),\n"
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
