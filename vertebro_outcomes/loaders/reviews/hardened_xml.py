"""XML from strangers: no entities, no external references, no giant tokens, a little at a time."""

from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.plain_words import xml_fault

PIECE: Final = 64 * 1024
LARGEST_FILE: Final = 200 * 2**20  # a review of 10,000 studies is below 50 MiB
LARGEST_TOKEN: Final = 4 * 2**20  # one tag, or a stretch of text; the longest seen is below 1 MiB
DEEPEST: Final = 200  # tags open at once; reviews have about 20


def parse(path: Path, target: Any, *, kind: str) -> None:
    """Feed a file to `target` (start, end, data, close as in xml.etree's parser targets).

    Raises
    ------
    LoadError
        Not XML, cut short, entities or external references, a token or file beyond all reason.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    watched = _Watched(target)
    parser = DefusedXMLParser(target=watched)
    try:
        size = path.stat().st_size
        if size == 0:
            raise _refuse(path, "the file", "it is empty", kind)
        if size > LARGEST_FILE:
            raise _refuse(path, "the file", f"{size / 2**20:.0f} MiB", "at most 200 MiB")
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                watched.waiting += len(piece)
                parser.feed(piece)
                if watched.waiting > LARGEST_TOKEN:
                    found = f"one tag or text of more than {LARGEST_TOKEN // 2**20} MiB"
                    raise _refuse(path, "the file", found, "tags and texts of usual size")
        parser.close()
    except _TooDeepError:
        found = f"more than {DEEPEST} tags open at once"
        raise _refuse(path, "the file", found, f"a whole {kind}") from None
    except DefusedXmlException as error:
        found = f"{type(error).__name__}: entities or external references"
        raise _refuse(path, "the file", found, "XML without entities of its own") from None
    except ParseError as error:
        line = error.position[0]
        found = f"not well-formed XML ({xml_fault(error.code)})"
        raise _refuse(path, f"line {line}", found, f"a whole {kind}") from None
    except (LookupError, ValueError, UnicodeError):
        raise _refuse(
            path, "line 1", "an encoding that is not known", "UTF-8 or ISO-8859-1"
        ) from None
    except OSError as error:
        raise _refuse(
            path, "the file", error.strerror or "cannot be read", "a readable file"
        ) from None


def _refuse(path: Path, where: str, found: str, allowed: str) -> LoadError:
    next_step = "get the file again from its source, or export it anew"
    return LoadError(path.name, [Problem(where, found, allowed)], next_step)


class _TooDeepError(Exception):
    """Tags nested beyond all reason."""


class _Watched:
    """Passes events on and notes that something was parsed."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.waiting = 0
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.waiting = 0
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeepError
        self.target.start(tag, attributes)

    def end(self, tag: str) -> None:
        self.waiting = 0
        self.depth -= 1
        self.target.end(tag)

    def data(self, text: str) -> None:
        self.waiting = 0
        self.target.data(text)

    def close(self) -> Any:
        return self.target.close()
