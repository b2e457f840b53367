"""What a library says of a damaged file, in our words: its own may quote a cell, and with it a person."""

import csv
import re
import zipfile
from typing import Final

_PLACE: Final = re.compile(r"\(at (line \d+, column \d+|end of document)\)\s*$")
# How the words of tomllib begin; a name may follow them.
_TOML: Final = (
    ("Cannot declare", "a table that is there twice"),
    ("Cannot overwrite", "a name that is there twice"),
    ("Cannot mutate", "a name below one that has a value"),
    ("Duplicate", "a name that is there twice"),
    ("Unclosed", "a bracket that is not closed"),
    ("Unterminated", "a text that is not closed"),
    ("Expected '='", "a name without `=`"),
    ("Expected ']", "a bracket that is not closed"),
    ("Expected \"'\"", "a text that is not closed"),
    ("Expected newline", "something after a value"),
    ("Illegal character", "a letter that may not stand there"),
    ("Found invalid character", "a letter that may not stand there"),
    ("Invalid initial character", "a name that begins with a sign; such names need quotes"),
    ("Invalid value", "a value that is neither number, text in quotes, list nor table"),
    ("Invalid date", "a date that does not exist"),
    ("Invalid hex", "a hexadecimal value that is none"),
    ("Unescaped", "a backslash in a text; write two, or single quotes around the text"),
    ("Escaped", "a character that may not be written so"),
)  # fmt: skip


def csv_fault(error: csv.Error) -> str:
    """Why the `csv` module gave up."""
    said = str(error)
    if "limit" in said:
        return (
            f"a cell of more than {csv.field_size_limit():,} letters, or a quote that is not closed"
        )
    if "end of data" in said:
        return "a quote that is not closed"
    if "expected after" in said:
        return "letters behind a closing quote"
    return "it cannot be split into cells"


def text_fault(error: UnicodeDecodeError) -> str:
    """Which byte is no text."""
    return f"byte {error.start + 1} is not UTF-8 text"


def toml_fault(error: ValueError) -> str:
    """Why a TOML file cannot be read, and where."""
    said = str(error)
    place = _PLACE.search(said)
    words = next((ours for theirs, ours in _TOML if said.startswith(theirs)), "no valid TOML")
    return f"{words} ({place[1]})" if place else words


def zip_fault(error: Exception) -> str:
    """Why a zip cannot be unpacked; its messages name files inside."""
    match error:
        case NotImplementedError():
            return "packed in a way that is not known here"
        case RuntimeError():
            return "locked with a password"
        case zipfile.BadZipFile() | EOFError() | ValueError():
            return "damaged, or no zip"
        case OSError(strerror=str(said)):
            return said
    return "damaged"


def xml_fault(code: int) -> str:
    """Why XML is not well formed, by the number of the fault."""
    from xml.parsers.expat import errors

    return str(errors.messages.get(code, "not well-formed"))
