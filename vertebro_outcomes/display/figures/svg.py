"""A figure as SVG text: the same bytes every time, and fit to stand inside an HTML page."""

import io
import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from vertebro_outcomes.display.style import HOUSE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"(?<!\s)\s*<metadata>.*?</metadata>", re.DOTALL)
_COMMENT = re.compile(r"(?<!\s)\s*<!--.*?-->", re.DOTALL)
_OPENING = re.compile(r"<svg[^>]*>")
_PX_PER_PT = 4 / 3
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def save_svg(figure: "Figure") -> str:
    """The figure as a stand-alone SVG file without date; text stays text.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str
    """
    from matplotlib import rc_context

    target = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with rc_context(HOUSE):
        figure.savefig(target, format="svg", metadata=nothing)
    lines = _METADATA.sub("", target.getvalue()).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def axes_svg(axes: "Axes") -> str:
    """The figure that axes belong to, as `save_svg` gives it."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return save_svg(figure)


def inline_svg(svg: str, *, identity: str, label: str) -> Markup:
    """An SVG file for the inside of a page: named for screen readers, ids made unique.

    Parameters
    ----------
    svg : str
        Output of `save_svg`.
    identity : str
        Prefix of every id in it; unique on the page, a valid id itself.
    label : str
        What the figure shows, for readers who cannot see it.

    Returns
    -------
    Markup
    """
    body = _COMMENT.sub("", _PROLOGUE.sub("", svg))
    body = re.sub(r'\bid="([^"]+)"', rf'id="{identity}-\1"', body)
    body = re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'href="#{identity}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{identity}-\1)", body)
    size = _SIZE.search(body)
    assert size, "an SVG figure has a viewBox"
    width, height = size.groups()
    opening = (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{_PX_PER_PT * float(width):.0f}" height="{_PX_PER_PT * float(height):.0f}">'
    )
    return Markup(_OPENING.sub(lambda _: opening, body, count=1).strip())  # noqa: S704
