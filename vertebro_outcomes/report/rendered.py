"""A section that has been built: its text for the page and for print, its tables and figures as files."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from vertebro_outcomes.report.blocks import Block, FigureBlock, TableBlock, flat
from vertebro_outcomes.report.page import render
from vertebro_outcomes.report.typeset import as_png, typst_blocks
from vertebro_outcomes.tables.csv_text import csv_text


@dataclass(frozen=True)
class Rendered:
    """`files` holds content by path in the report folder; `typst` names its pictures by that path."""

    title: str
    identity: str
    html: Markup
    typst: str
    files: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Everything, to be read again by `from_json`."""
        files = {name: base64.b64encode(content).decode() for name, content in self.files.items()}
        plain = {**vars(self), "html": str(self.html), "files": files}
        return json.dumps(plain, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Rendered":
        """What `to_json` wrote."""
        plain = json.loads(text)
        files = {name: base64.b64decode(content) for name, content in plain.pop("files").items()}
        html = Markup(plain.pop("html"))  # noqa: S704 (written by to_json)
        return cls(**plain, html=html, files=files)


def render_section(title: str, identity: str, blocks: Sequence[Block]) -> Rendered:
    """The blocks of a section as text and files."""
    return Rendered(
        title=title,
        identity=identity,
        html=Markup("\n").join(render(block) for block in blocks),
        typst=typst_blocks(title, identity, blocks),
        files=_files(blocks),
    )


def _files(blocks: Sequence[Block]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for block in flat(blocks):
        match block:
            case FigureBlock():
                name, content = f"figures/{block.name}.svg", block.svg.encode()
            case TableBlock():
                name, content = f"tables/{block.name}.csv", csv_text(block.data).encode()
            case _:
                continue
        assert name not in files, f"two blocks are called {name}"
        files[name] = content
    pictures = {name: content for name, content in files.items() if name.endswith(".svg")}
    drawn = as_png(pictures)
    return files | {f"{name.removesuffix('.svg')}.png": content for name, content in drawn.items()}
