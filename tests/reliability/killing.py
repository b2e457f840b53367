"""A process that runs commands of the package in children of its own, and kills them when told.

The parent imports everything once and forks, so that fifty runs do not import fifty times. A child dies
by SIGKILL before its n-th change on disk (a file opened for writing, a rename, a removal, a folder), or
after so many seconds.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.chmod", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Killer:
    """`run(arguments, ...)` answers with the exit status, the changes on disk and the seconds."""

    def __enter__(self):
        root = Path(__file__).parents[2]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.killing"], text=True, cwd=root,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()

    def run(self, *arguments, change=None, seconds=None):
        asked = {"arguments": [str(a) for a in arguments], "change": change, "seconds": seconds}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


def _watch(out: int, change: int | None) -> None:
    """Count the changes on disk, one byte each through a pipe; die before the one asked for."""
    seen = 0

    def hook(event, arguments):
        nonlocal seen
        if event in CHANGES or (event == "open" and (arguments[2] or 0) & WRITING):
            if seen == change:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
            os.write(out, b".")

    sys.addaudithook(hook)


def _child(asked: dict, out: int) -> None:
    from vertebro_outcomes.cli import main

    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.argv = ["vertebro", *asked["arguments"]]
    _watch(out, asked["change"])
    try:
        main()
    except SystemExit as stop:
        os._exit(int(stop.code or 0))
    os._exit(0)


def _answer(asked: dict) -> dict:
    read, write = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        _child(asked, write)
    os.close(write)
    left, changes = asked["seconds"], 0
    while True:
        wait = None if left is None else max(0.0, start + left - time.monotonic())
        if not select.select([read], [], [], wait)[0]:
            os.kill(child, signal.SIGKILL)
            left = None
            continue
        got = os.read(read, 65536)
        if not got:
            break
        changes += len(got)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"status": status, "changes": changes, "seconds": time.monotonic() - start}


def _serve() -> None:
    import duckdb  # noqa: F401
    import ibis
    import matplotlib.figure  # noqa: F401
    import scipy.stats  # noqa: F401
    import statsmodels.api  # noqa: F401
    import typst  # noqa: F401

    import vertebro_outcomes as vo

    ibis.duckdb  # noqa: B018
    for name in dir(vo):
        getattr(vo, name)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    _serve()
