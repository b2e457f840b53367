"""How the package complains: one family for mistakes the user can correct, one layout for a message."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_OBEYED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MOST_SHOWN: Final = 100  # problems in a message; `problems` of the error holds all


class VertebroError(Exception):
    """A mistake the user can correct; the command line shows it without a traceback."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it stands, what was found there, what is allowed there."""

    where: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; allowed: {self.allowed}"


class _RefusalError(VertebroError):
    """`source` was refused; `problems` holds every reason, not only the first."""

    outcome = "refused"

    def __init__(self, source: str, problems: Sequence[Problem], next_step: str) -> None:
        self.source = source
        self.problems = tuple(problems)
        self.next_step = next_step
        shown = [f"  {problem}" for problem in self.problems[:MOST_SHOWN]]
        if left := len(self.problems) - len(shown):
            shown.append(f"  and {left} more problems of this kind or another")
        lines = [f"{source}: {self.outcome}", *shown]
        super().__init__("\n".join(map(_printable, [*lines, f"  Next: {next_step}"])))


def _printable(line: str) -> str:
    """Without signs that a terminal obeys: what was found may hold them."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", line)


class LoadError(_RefusalError):
    """A file or folder was refused."""

    outcome = "nothing was loaded"


class InputError(_RefusalError):
    """An argument of a public function was refused."""

    outcome = "cannot be used"


def refuse_argument(function: str, argument: str, found: object, allowed: str) -> InputError:
    """The error for one wrong argument: `raise refuse_argument("pool", "method", method, "DL, REML")`."""
    problem = Problem(f"argument {argument}", f"{found!r}", allowed)
    return InputError(f"{function}()", [problem], f"pass one of the allowed values for {argument}")


def list_some(items: Sequence[object], most: int = 5) -> str:
    """The first few of a list for a message: `list_some([3, 9, 12], most=2)` -> '3, 9 and 1 more'."""
    shown = ", ".join(str(item) for item in items[:most])
    rest = len(items) - most
    return f"{shown} and {rest} more" if rest > 0 else shown
