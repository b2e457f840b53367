"""Steps that remember what they read: a step runs again only if something it read has changed.

A step is a function of a reader; whatever it reads through it is noted with its content hash. Next
time a step whose notes still hold is not run; one whose result comes out the same stops the chain.
Where a step that runs reads one that need not, the kept value of that one is taken if there is one.
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
    worth announcing. A value is kept for the next run where `keep` says so.
    """

    make: Make
    words: str = ""
    digest: Callable[[Any], str] | None = content_hash
    keep: bool = False


@dataclass(frozen=True)
class Trace:
    """What a step read, name -> hash, and the hash of what it gave."""

    uses: Mapping[str, str]
    digest: str


def _nothing(name: str, digest: str) -> None:
    """Nothing was kept."""


@dataclass(eq=False)
class Steps:
    """Values by name, computed when first asked for.

    Attributes
    ----------
    steps : callable
        Name -> step, None if there is none of that name.
    leaves : mapping
        Name -> hash of what lies outside: files, settings.
    former : mapping
        Name -> trace of the last run.
    kept : callable
        Name and hash -> (value,) as the last run kept it, None if it did not.
    ran : list of str
        Names in the order in which steps ran.
    """

    steps: Callable[[str], Step | None]
    leaves: Mapping[str, str]
    former: Mapping[str, Trace] = field(default_factory=dict)
    kept: Callable[[str, str], tuple[Any] | None] = _nothing
    show: Shown = nullcontext
    ran: list[str] = field(default_factory=list)
    traces: dict[str, Trace] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of a step, computed if it is not at hand."""
        if name not in self._values and not self._recalled(name):
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
            (used in self.leaves or self.steps(used) is not None) and self.digest(used) == digest
            for used, digest in trace.uses.items()
        )

    def values_to_keep(self) -> dict[str, Any]:
        """Of the steps that ran, the values that the next run may want."""
        ran = ((name, self.steps(name)) for name in self.ran)
        return {name: self._values[name] for name, step in ran if step is not None and step.keep}

    def _recalled(self, name: str) -> bool:
        """Whether the value could be had from the last run."""
        step = self.steps(name)
        if step is None or not step.keep or not self.is_fresh(name):
            return False
        found = self.kept(name, self.digest(name))
        if found is None:
            return False
        (self._values[name],) = found
        return True

    def _run(self, name: str) -> None:
        uses: dict[str, str] = {}

        def read(used: str) -> Any:
            if used in self.leaves:
                uses[used] = self.leaves[used]
                return None
            value = self.value(used)
            uses[used] = self.digest(used)
            return value

        step = self.steps(name)
        assert step is not None, name
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
