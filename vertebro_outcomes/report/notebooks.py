"""Notebooks run from top to bottom and written as HTML pages; one whose inputs are the same is kept."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.report.digest import sha256
from vertebro_outcomes.report.files import write_whole

_RECORD: Final = ".notebooks.json"
_SECONDS: Final = 300
_AT_ONCE: Final = 2  # kernels side by side; each takes about 300 MB


@dataclass(frozen=True)
class NotebookRun:
    """Which notebooks were run, which were kept, which failed and why."""

    run: tuple[str, ...]
    kept: tuple[str, ...]
    failed: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        said = [f"{len(self.run)} run", f"{len(self.kept)} unchanged"]
        return ", ".join(said + [f"{problem}" for problem in self.failed])


def run_notebooks(
    folder: Path,
    *,
    output: Path,
    inputs: Mapping[str, Any],
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> NotebookRun:
    """Run the notebooks of a folder and write `output/<name>.html` for each.

    Parameters
    ----------
    folder : Path
        Such as ``analyses``; nothing happens if it does not exist or Jupyter is not installed.
    output : Path
        Made if it is not there.
    inputs : mapping
        What `report.digest.inputs_of` says: a notebook is run again if they or its text changed.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.

    Returns
    -------
    NotebookRun
        A notebook that fails stops no other; its page of a former run is removed.
    """
    found = sorted(folder.glob("*.ipynb")) if folder.is_dir() else []
    if not found or not _installed():
        return NotebookRun((), ())
    former = _former(output)
    digests = {path.stem: _digest(path, inputs) for path in found}
    stale = [
        path
        for path in found
        if former.get(path.stem) != digests[path.stem]
        or not (output / f"{path.stem}.html").is_file()
    ]
    failed: list[Problem] = []
    if stale:
        with step(f"running {len(stale)} notebooks"), ThreadPoolExecutor(_AT_ONCE) as pool:
            for path, page in zip(stale, pool.map(_page, stale), strict=True):
                target = output / f"{path.stem}.html"
                if isinstance(page, Problem):
                    failed.append(page)
                    digests.pop(path.stem)
                    target.unlink(missing_ok=True)
                else:
                    write_whole(target, page.encode())
    for name in set(former) - {path.stem for path in found}:
        (output / f"{name}.html").unlink(missing_ok=True)
    write_whole(output / _RECORD, (json.dumps(digests, indent=1, sort_keys=True) + "\n").encode())
    names = tuple(path.stem for path in stale)
    return NotebookRun(names, tuple(p.stem for p in found if p.stem not in names), tuple(failed))


def _installed() -> bool:
    try:
        import ipykernel
        import nbclient
        import nbconvert
    except ImportError:
        return False
    return bool(ipykernel and nbclient and nbconvert)


def _former(output: Path) -> dict[str, str]:
    try:
        return dict(json.loads((output / _RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _digest(path: Path, inputs: Mapping[str, Any]) -> str:
    record = json.dumps(dict(inputs), sort_keys=True)
    return hashlib.sha256(f"{sha256(path)}\n{record}".encode()).hexdigest()


def _page(path: Path) -> str | Problem:
    """One notebook run by this Python, as HTML without dates and without a request."""
    import nbclient
    import nbconvert
    import nbformat

    convert: Any = nbconvert  # no types of its own
    read: Any = nbformat.read
    notebook = read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,  # what arrives in how many pieces is chance
    )
    try:
        asyncio.run(client.async_execute())  # a loop of its own per thread, closed afterwards
    except nbclient.exceptions.CellExecutionError as error:
        return Problem(
            path.name, f"{error.ename}: {error.evalue}", "a notebook that runs to its end"
        )
    exporter = convert.HTMLExporter(template_name="basic")
    body, _ = exporter.from_notebook_node(notebook)
    return _whole(path.stem, body)


def _whole(name: str, body: str) -> str:
    title = name.replace("_", " ")
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}"
        "pre { overflow-x: auto; background: var(--band); padding: .5rem .75rem; }\n"
        "img { max-width: 100%; background: #fff; }\n.prompt, .anchor-link { display: none; }\n"
        f'</style>\n</head>\n<body>\n<div class="frame">\n{body}\n</div>\n</body>\n</html>\n'
    )
