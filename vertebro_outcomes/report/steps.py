"""Steps that remember what they read: a step runs again only if something it read has changed.

A step is a function of a reader; whatever it reads through it is noted with its content hash. Next
time a step whose notes still hold is not run; one whose result comes out the same stops the chain.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from vertebro_outcomes.report.content_hash import content_hash

Read = Callable[[str], Any]
Make = Callable[[Read], Any]
Shown = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True)
class Step:
    """`make` computes the value from what it reads.

    `digest` hashes the value; without it the hash follows from what was read. `words` announce a step
    worth announcing.
    """

    make: Make
    words: str = ""
    digest: Callable[[Any], str] | None = content_hash


@dataclass(frozen=True)
class Trace:
    """What a step read, name -> hash, and the hash of what it gave."""

    uses: Mapping[str, str]
    digest: str


@dataclass(eq=False)
class Steps:
    """Values by name, computed when first asked for.

    Attributes
    ----------
    steps : mapping
        Name -> step.
    leaves : mapping
        Name -> hash of what lies outside: files, settings.
    former : mapping
        Name -> trace of the last run.
    ran : list of str
        Names in the order in which steps ran.
    """

    steps: Mapping[str, Step]
    leaves: Mapping[str, str]
    former: Mapping[str, Trace] = field(default_factory=dict)
    show: Shown = nullcontext
    ran: list[str] = field(default_factory=list)
    traces: dict[str, Trace] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of a step, computed if it is not at hand."""
        if name not in self._values:
            self._run(name)
        return self._values[name]

    def digest(self, name: str) -> str:
        """The hash of a step's value; computes it only if what it read has changed."""
        if name in self.leaves:
            return self.leaves[name]
        if name not in self.traces:
            if self.is_fresh(name):
                self.traces[name] = self.former[name]
            else:
                self._run(name)
        return self.traces[name].digest

    def is_fresh(self, name: str) -> bool:
        """Whether everything that the step read last time is as it was."""
        trace = self.former.get(name)
        return trace is not None and all(
            (used in self.leaves or used in self.steps) and self.digest(used) == digest
            for used, digest in trace.uses.items()
        )

    def _run(self, name: str) -> None:
        uses: dict[str, str] = {}

        def read(used: str) -> Any:
            if used in self.leaves:
                uses[used] = self.leaves[used]
                return None
            value = self.value(used)
            uses[used] = self.digest(used)
            return value

        step = self.steps[name]
        if step.words:
            with self.show(step.words):
                value = step.make(read)
        else:
            value = step.make(read)
        self._values[name] = value
        self.ran.append(name)
        if step.digest is None:
            digest: str = content_hash(sorted(uses.items()))
        else:
            digest = step.digest(value)
        self.traces[name] = Trace(uses, digest)
