"""Sections and blocks as one self-contained HTML page."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vertebro_outcomes.display.figures.svg import inline_svg
from vertebro_outcomes.display.tables import html_table
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

_HERE = Path(__file__).parent
_IDENTITY = re.compile(r'<[^<>]* id="([^"]+)"')
_LINK = re.compile(r'<a href="#([^"]+)">(.*?)</a>')
_CHECKED = Markup(" checked")
_HIDDEN = Markup(" hidden")


class Part(Protocol):
    """A section that has been built."""

    @property
    def title(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def html(self) -> Markup: ...


def render_page(
    parts: Sequence[Part], *, title: str, lead: Markup | str, closing: Markup | str
) -> str:
    """The page: contents list, sections, inline styles, pictures and script; no request."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
    )
    css = Markup((_HERE / "page.css").read_text(encoding="utf-8"))  # noqa: S704 (our own file)
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment.get_template("page.html").render(
        title=title,
        lead=lead,
        closing=closing,
        parts=parts,
        css=css,
        script=Markup(script),  # noqa: S704 (our own file)
        script_hash=f"sha256-{digest}",
    )
    return f"{_without_dead_links(page)}\n"


def _without_dead_links(page: str) -> str:
    """A link to a section that is not printed becomes plain words."""
    there = set(_IDENTITY.findall(page))
    return _LINK.sub(lambda link: link[0] if link[1] in there else link[2], page)


def render(block: Block) -> Markup:
    """One block as HTML."""
    match block:
        case Prose():
            return block.html
        case Heading():
            return Markup('<h3 id="{}">{}</h3>').format(block.identity, block.title)
        case FigureBlock():
            return _figure(block)
        case TableBlock():
            return _table(block)
        case Switch():
            return _switch(block)
        case Paper():
            return Markup("\n").join(render(inner) for inner in block.screen)
        case Fold():
            inside = Markup("\n").join(render(inner) for inner in block.blocks)
            return Markup("<details>\n<summary>{}</summary>\n{}\n</details>").format(
                block.summary, inside
            )


def _switch(block: Switch) -> Markup:
    """The first option; the others wait, and the page's script lets the reader choose."""
    choices = Markup("").join(
        Markup('<label><input type="radio" name="{}" value="{}"{}> {}</label>').format(
            f"switch-{block.name}", at, "" if at else _CHECKED, label
        )
        for at, (label, _) in enumerate(block.options)
    )
    options = Markup("\n").join(
        Markup('<div class="option"{}>\n{}\n</div>').format(
            _HIDDEN if at else "", Markup("\n").join(render(b) for b in blocks)
        )
        for at, (_, blocks) in enumerate(block.options)
    )
    return Markup(
        '<div class="switch">\n<fieldset hidden>\n<legend>{}</legend>\n{}\n</fieldset>\n{}\n</div>'
    ).format(block.legend, choices, options)


def _figure(block: FigureBlock) -> Markup:
    picture = inline_svg(block.svg, identity=f"figure-{block.name}", label=block.alt)
    return Markup(
        '<figure id="figure-{}">\n<div class="picture" tabindex="0" role="group" '
        'aria-label="Figure, scrolls sideways on narrow screens">\n{}\n</div>\n'
        "<figcaption>{}</figcaption>\n</figure>"
    ).format(block.name, picture, block.caption)


def _table(block: TableBlock) -> Markup:
    table = html_table(
        block.shown,
        caption=block.caption,
        labels=block.labels,
        numeric=block.numeric,
        row_ids=block.row_ids,
        caption_shown=not block.repeats,
    )
    return Markup(
        '<div class="scroll" id="table-{}" tabindex="0" role="region" aria-label="{}">\n{}\n</div>'
    ).format(block.name, block.caption, table)
