"""Notebooks run from top to bottom and written as HTML pages; one whose inputs are the same is kept."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.report.digest import sha256
from vertebro_outcomes.report.files import write_whole
from vertebro_outcomes.report.reads import state_of

_RECORD: Final = ".notebooks.json"
_PACKAGE: Final = Path(__file__).resolve().parents[1]
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
        What `report.digest.inputs_of` says: a notebook is run again if package, versions, its text or
        anything that it read in the project has changed.
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
    project = folder.resolve().parent
    former = _former(output)
    base = _base(inputs)
    stale = [path for path in found if not _is_kept(path, output, former, base, project)]
    record = {path.stem: former[path.stem] for path in found if path not in stale}
    failed: list[Problem] = []
    if stale:
        with step(f"running {len(stale)} notebooks"), ThreadPoolExecutor(_AT_ONCE) as pool:
            for path, (page, reads) in zip(stale, pool.map(_page, stale), strict=True):
                target = output / f"{path.stem}.html"
                if isinstance(page, Problem):
                    failed.append(page)
                    target.unlink(missing_ok=True)
                else:
                    write_whole(target, page.encode())
                    record[path.stem] = {
                        "text": f"{sha256(path)} {base}", "reads": state_of(reads, project),
                    }  # fmt: skip
    for name in set(former) - {path.stem for path in found}:
        (output / f"{name}.html").unlink(missing_ok=True)
    write_whole(output / _RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    names = tuple(path.stem for path in stale)
    return NotebookRun(names, tuple(p.stem for p in found if p.stem not in names), tuple(failed))


def _is_kept(path: Path, output: Path, former: Mapping[str, Any], base: str, project: Path) -> bool:
    """Whether a notebook, the package and everything it read are as they were when it was run."""
    known = former.get(path.stem)
    if not isinstance(known, dict) or not (output / f"{path.stem}.html").is_file():
        return False
    reads = known.get("reads", {})
    same_text = known.get("text") == f"{sha256(path)} {base}"
    return same_text and bool(state_of(reads, project) == reads)


def _installed() -> bool:
    try:
        import ipykernel
        import nbclient
        import nbconvert
    except ImportError:
        return False
    return bool(ipykernel and nbclient and nbconvert)


def _former(output: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((output / _RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _base(inputs: Mapping[str, Any]) -> str:
    """Package and versions; the data that a notebook reads are noted one by one."""
    kept = {name: inputs.get(name) for name in ("package", "versions")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _page(path: Path) -> tuple[str | Problem, list[str]]:
    """One notebook run by this Python, as HTML without dates and without a request, and what it read."""
    with tempfile.TemporaryDirectory() as place:
        reads, start = Path(place) / "reads.txt", Path(place) / "start.py"
        reads.touch()
        start.write_text(
            f"import sys\nsys.path.insert(0, {str(_PACKAGE.parent)!r})\n"  # this package, no other
            "from vertebro_outcomes.report.reads import note_reads as _note\n"
            f"_note({str(path.resolve().parents[1])!r}, {str(reads)!r})\ndel _note, sys\n",
            encoding="utf-8",
        )
        page = _executed(path, {**os.environ, "PYTHONSTARTUP": str(start)})
        return page, reads.read_text(encoding="utf-8").splitlines()


def _executed(path: Path, environment: Mapping[str, str]) -> str | Problem:
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
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    run = client.async_execute(env=dict(environment))
    try:
        asyncio.run(run)  # a loop of its own per thread, closed afterwards
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
