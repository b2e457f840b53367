"""No regular expression of the package takes its time on hostile text: every one is found and timed."""

import ast
import re
import signal
import time
from importlib import import_module
from pathlib import Path

import vertebro_outcomes

PACKAGE = Path(vertebro_outcomes.__file__).parent
CALLS = {"search", "match", "fullmatch", "sub", "split", "findall", "finditer", "subn"}
REPEATED = (
    "a", "A", "1", " ", "(", "<", "[", "-", "_", ".", ",", ":", "/", "&", "#", "%", "\n", "{", "|", "+",
    "a ", "1 ", "aA", "a1", "0.", "1,", "( ", "[ ", "a:1|", "x=1, ", "t12-", ". ", "and ", "1-", "-1", "<a",
    '<a id="', '<a href="#', "_x00", "&lt", "ü", "٣",
)  # fmt: skip
LENGTH = 40_000
MOST_SECONDS = (
    0.2  # of the processor; a quadratic one takes a second and more, an exponential one for ever
)


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "__main__.py":
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def patterns():
    """(where, pattern, how it is used): compiled ones by attribute, literal ones by line."""
    for name, path in modules():
        text = path.read_text("utf-8")
        for word, value in vars(import_module(name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                used = set(re.findall(rf"\b{word}\.(\w+)\(", text)) & CALLS
                yield from ((f"{name}.{word}", value, how) for how in used)
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and getattr(node.func.value, "id", "") == "re"
                and node.func.attr in CALLS
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                compiled = re.compile(node.args[0].value)
                yield f"{name}, line {node.lineno}", compiled, node.func.attr


def seconds(pattern, how, text):
    """CPU seconds of one use, stopped when it is too many."""

    def stop(*_):
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, stop)
    start = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 1.2 * MOST_SECONDS)
    try:
        pattern.sub("", text) if how in ("sub", "subn") else getattr(pattern, how)(text)
        if how == "finditer":
            sum(1 for _ in pattern.finditer(text))
    except TimeoutError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - start


def slow_on(pattern, how):
    """The start of a text that this pattern is slow on, or nothing."""
    for part in REPEATED:
        text = part * (LENGTH // len(part)) + "\0"
        if seconds(pattern, how, text) > MOST_SECONDS:
            return text[:8]
    return ""


def test_every_pattern_is_quick_on_forty_thousand_hostile_characters():
    found = list(patterns())
    assert len(found) > 80
    slow = {f"{where} {how}": text for where, one, how in found if (text := slow_on(one, how))}
    assert slow == {}


def test_the_timing_tells_a_slow_pattern_from_a_quick_one():
    assert slow_on(re.compile(r"(a+)+$"), "search") == "a" * 8
    assert slow_on(re.compile(r"<[^<>]*>"), "sub") == ""
