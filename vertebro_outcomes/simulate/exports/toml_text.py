"""A mapping as a TOML file."""

import json
from collections.abc import Mapping
from typing import Any


def toml_text(mapping: Mapping[str, Any]) -> str:
    """Top keys, tables of codes, then one section per feed."""
    top = {k: v for k, v in mapping.items() if k != "feed" and not _is_section(v)}
    out = [f"{key} = {_value(value)}" for key, value in top.items()]
    for key, value in mapping.items():
        if key != "feed" and _is_section(value):
            for name, words in value.items():
                out += ["", f"[{key}.{name}]"]
                out += [f"{json.dumps(k)} = {_value(v)}" for k, v in words.items()]
    for feed in mapping["feed"]:
        out += ["", "[[feed]]"]
        out += [f"{k} = {_value(v)}" for k, v in feed.items() if k != "columns"]
        out.append("[feed.columns]")
        out += [f"{name} = {_value(entry)}" for name, entry in feed["columns"].items()]
    return "\n".join(out) + "\n"


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
