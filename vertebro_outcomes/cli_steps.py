"""What the commands say on stderr while they work."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def step(words: str) -> Iterator[None]:
    """Say on stderr what is being done, and afterwards how long it took."""
    start = time.perf_counter()
    typer.echo(f"{words} ... ", err=True, nl=False)
    try:
        yield
    except BaseException:
        typer.echo("failed", err=True)
        raise
    typer.echo(f"{time.perf_counter() - start:.1f} s", err=True)


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
