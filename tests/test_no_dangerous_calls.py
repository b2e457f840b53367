"""The package neither unpickles, evaluates text, starts programs nor opens connections."""

import ast
import socket
from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo

PACKAGE = Path(vo.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_IMPORTS = {
    "pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "subprocess", "pty", "ctypes",
    "socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "ftplib",
    "smtplib", "telnetlib", "xmlrpc", "webbrowser", "multiprocessing",
}  # fmt: skip
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
FORBIDDEN_ATTRIBUTES = {
    "system", "popen", "read_pickle", "to_pickle", "fork", "spawnv", "execv", "eval", "urlopen",
}  # fmt: skip


def offences(source: str) -> list[str]:
    """`line: what` for everything that must not be there."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [n.name for n in node.names if n.name.split(".")[0] in FORBIDDEN_IMPORTS]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = [node.func.id] if node.func.id in FORBIDDEN_NAMES else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = [node.func.attr] if node.func.attr in FORBIDDEN_ATTRIBUTES else []
        found += [f"{node.lineno}: {name}" for name in names]
    return found


def test_the_walk_sees_what_it_is_for():
    for source in (
        "import pickle", "from urllib.request import urlopen", "eval('1')", "import os\nos.system('x')",
        "import pandas\npandas.read_pickle('x')", "frame.eval('a + b')", "import subprocess as s",
    ):  # fmt: skip
        assert offences(source), source


def test_every_module_is_free_of_them():
    assert len(MODULES) > 200
    found = {str(path.relative_to(PACKAGE)): offences(path.read_text("utf-8")) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def test_analyses_open_no_connection(no_network, tmp_path):
    cohort, _ = vo.simulate_registry(n_patients=300, seed=1, scenario="confounded")
    cohort.write(tmp_path / "cohort")
    again = vo.load(tmp_path / "cohort", format="canonical")
    assert len(again.frame("patients")) == 300
    vo.complication_rates(again, by="treatment")
    table = pd.DataFrame({"effect": [-1.0, -0.5, -0.8], "variance": [0.1, 0.2, 0.1]})
    assert vo.pool(table).k == 3
