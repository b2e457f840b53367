"""Escaped HTML of the blocks as Typst markup: the few tags prose uses, nothing else."""

import re
from html.parser import HTMLParser
from typing import Final

from markupsafe import Markup

_OPENING: Final = {
    "strong": "#strong[",
    "b": "#strong[",
    "em": "#emph[",
    "i": "#emph[",
    "code": "#text(font: mono, size: 0.9em, hyphenate: false)[",
    "ul": "#list(",
    "ol": "#enum(",
    "li": "[",
}
_CLOSING: Final = {"ul": ")\n", "ol": ")\n", "li": "],", "p": "\n\n"}
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")  # a no-break space stays one
_EMPTY: Final = frozenset({"br"})


def literal(text: str) -> str:
    """A text as a Typst string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(text: str) -> str:
    """A text as markup that means nothing but itself."""
    return f"#{literal(text)};" if text else ""


def typst_of(html: Markup | str) -> str:
    """Typst for a piece of HTML.

    Parameters
    ----------
    html : Markup or str
        `Markup` is read as HTML, any other text stands for itself.

    Returns
    -------
    str
    """
    if not isinstance(html, Markup):
        return words(" ".join(str(html).split()))
    reader = _Reader()
    reader.feed(str(html))
    reader.close()
    return "".join(reader.out)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.out.append(self._link(dict(attrs).get("href") or ""))
        elif tag == "br":
            self.out.append("#linebreak();")
        elif tag != "p":
            self.out.append(_OPENING.get(tag, "#["))

    def _link(self, target: str) -> str:
        if not target.startswith("#"):
            return f"#link({literal(target)})["
        return f"#link(label({literal(target[1:])}))["

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY:
            self.out.append(_CLOSING.get(tag, "];"))

    def handle_data(self, data: str) -> None:
        text = _SPACES.sub(" ", data).strip(" ")
        if text:
            left, right = (" " if _SPACES.match(edge) else "" for edge in (data[0], data[-1]))
            self.out.append(words(f"{left}{text}{right}"))
