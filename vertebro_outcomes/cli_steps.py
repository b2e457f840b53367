"""What the commands say on stderr while they work."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


class Progress:
    """Says what is being done, and afterwards how long it took; a step within a step is indented."""

    def __init__(self) -> None:
        self._depth = 0
        self._open = False  # the last line waits for its time

    @contextmanager
    def __call__(self, words: str) -> Iterator[None]:
        """Show one step while it runs."""
        start = time.perf_counter()
        if self._open:
            typer.echo("", err=True)
        line = f"{'  ' * self._depth}{words} ..."
        typer.echo(line, err=True, nl=False)
        self._open = True
        self._depth += 1
        said = "failed"
        try:
            yield
            said = f"{time.perf_counter() - start:.1f} s"
        finally:
            self._depth -= 1
            typer.echo(f" {said}" if self._open else f"{line} {said}", err=True)
            self._open = False


@contextmanager
def step(words: str) -> Iterator[None]:
    """Show one step by itself."""
    with Progress()(words):
        yield


def counted(words: str) -> Callable[[int, int], None]:
    """Counts on stderr every second, on a terminal only."""
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if sys.stderr.isatty() and now - last > 1 and done < total:
            last = now
            typer.echo(f"{done:,} of {total:,} {words}", err=True)

    return show
