"""What later runs need to know, in the hidden folder .steps of the report: traces, sections, results."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.report.files import write_whole
from vertebro_outcomes.report.kept_values import kept_json, kept_value
from vertebro_outcomes.report.rendered import Rendered
from vertebro_outcomes.report.steps import Trace

FOLDER: Final = ".steps"
_RECORD: Final = "record.json"


class Store:
    """The hidden folder of one report; whatever in it is not as it was written counts as absent.

    `base` is a hash of what every step depends on: package and versions. Another one forgets all.
    """

    def __init__(self, output: Path, *, base: str) -> None:
        self._output, self._folder, self._base = output, output / FOLDER, base
        self._former = self._read()
        self._kept: dict[str, list[str]] = {}

    def _read(self) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "base": self._base, "traces": {}, "parts": {}, "values": {}, "kept": {},
        }  # fmt: skip
        try:
            found = json.loads((self._folder / _RECORD).read_text(encoding="utf-8"))
            usable = found["base"] == self._base and set(found) == set(empty)
        except (OSError, ValueError, KeyError, TypeError):
            return empty
        return found if usable else empty

    def traces(self) -> dict[str, Trace]:
        """Traces of the last run by step."""
        return {name: Trace(*trace) for name, trace in self._former["traces"].items()}

    def part(self, name: str) -> Rendered | None:
        """A section as the last run built it."""
        content = _as_written(self._folder / f"{name}.json", self._former["parts"].get(name))
        return None if content is None else Rendered.from_json(content)

    def value(self, name: str, digest: str) -> tuple[Any] | None:
        """The result of a step with this hash, in brackets because it may be None itself."""
        former, written = self._former["values"].get(name, ("", ""))
        content = _as_written(self._value_path(name), written) if former == digest else None
        return None if content is None else (kept_value(content),)

    def _value_path(self, name: str) -> Path:
        return self._folder / "values" / f"{_sha256(name.encode())[:32]}.json"

    def kept_file(self, name: str, key: str) -> bytes | None:
        """A file of the report, if it was made from the same key and is as it was written."""
        former, digest = self._former["kept"].get(name, ("", ""))
        return _as_written(self._output / name, digest) if former == key else None

    def keep_file(self, name: str, key: str, content: bytes) -> None:
        """Remember from what a file of the report was made."""
        self._kept[name] = [key, _sha256(content)]

    def write(
        self, traces: Mapping[str, Trace], parts: Mapping[str, Rendered], values: Mapping[str, Any]
    ) -> None:
        """Sections and results first, then the record that vouches for them."""
        digests = dict(self._former["parts"])
        for name, part in parts.items():
            content = part.to_json()
            digests[name] = _sha256(content)
            if _as_written(self._folder / f"{name}.json", digests[name]) is None:
                write_whole(self._folder / f"{name}.json", content)
        results = {
            name: entry for name, entry in self._former["values"].items() if name not in values
        }
        for name, value in values.items():
            result = kept_json(value)
            if result is not None:
                write_whole(self._value_path(name), result)
                results[name] = [traces[name].digest, _sha256(result)]
        new = {name: [dict(trace.uses), trace.digest] for name, trace in traces.items()}
        record = {
            "base": self._base,
            "traces": {**self._former["traces"], **new},
            "parts": digests,
            "values": results,
            "kept": self._kept,
        }
        text = json.dumps(record, indent=1, sort_keys=True) + "\n"
        write_whole(self._folder / _RECORD, text.encode())


def _as_written(path: Path, digest: str | None) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if _sha256(content) == digest else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
