"""The lowest versions that pyproject.toml allows can be told, and the locked ones are not below them."""

import re
import runpy
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
VERSIONS = runpy.run_path(str(ROOT / ".ci" / "versions.py"))


def test_every_dependency_has_a_lowest_version_that_is_tried():
    for asked in VERSIONS["dependencies"]():
        lowest = Requirement(VERSIONS["lowest"](asked))
        [pin] = lowest.specifier
        assert pin.version in Requirement(asked).specifier


def test_what_is_locked_is_allowed():
    text = (ROOT / ".requirements" / "report.txt").read_text("utf-8")
    locked = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    for asked in map(Requirement, VERSIONS["dependencies"]()):
        name = canonicalize_name(asked.name)
        found = [version for other, version in locked if canonicalize_name(other) == name]
        assert found, name
        assert all(version in asked.specifier for version in found), name


def test_no_index_is_named():
    for path in (ROOT / ".requirements").iterdir():
        text = path.read_text("utf-8")
        assert "://" not in text, path.name
        assert "index-url" not in text, path.name
