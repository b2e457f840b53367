"""A call for every public function nobody wrote one for: its required arguments by their names."""

import inspect
from collections.abc import Callable
from typing import Any

import vertebro_outcomes as vo


def calls_by_signature(
    homes: str, *, tried: set[str], subject: str, known: dict[str, Any]
) -> dict[str, dict[str, Callable[[Any], Any]]]:
    """Calls of the public functions below `homes` whose first argument is `subject`.

    A required argument that `known` does not name is an AssertionError: write the call by hand.
    """
    made = {}
    for name in sorted(set(vo._HOME_OF) - tried):
        function = getattr(vo, name)
        if not vo._HOME_OF[name].startswith(homes) or not inspect.isfunction(function):
            continue
        first, *others = inspect.signature(function).parameters.values()
        if first.name != subject:
            continue
        needed = [p.name for p in others if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        assert set(needed) <= set(known), f"{name}: write a call for the stress tests by hand"
        given = {key: known[key] for key in needed}
        made[name] = {"by signature": lambda x, f=function, given=given: f(x, **given)}
    return made
