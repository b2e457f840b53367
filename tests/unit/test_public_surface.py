"""What `import vertebro_outcomes` gives, and what it costs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import vertebro_outcomes as vo

HEAVY = ("matplotlib", "statsmodels", "duckdb", "ibis", "lifelines", "seaborn", "pandas", "scipy")


def test_import_loads_nothing_heavy():
    program = f"import sys, vertebro_outcomes; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(vo._HOME_OF))
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(vo, name)
    assert name in dir(vo)
    if callable(value):
        assert value.__doc__


BESIDE = ("benchmarks/*.py", "analyses/*.ipynb", "docs/*.md", "README.md", "CONTRIBUTING.md")


@pytest.mark.parametrize("pattern", BESIDE)
def test_what_stands_beside_the_package_uses_names_that_exist(pattern):
    paths = sorted(Path(__file__).parents[2].glob(pattern))
    assert paths
    for path in paths:
        used = set(re.findall(r"\bvo\.([A-Za-z_]\w*)", path.read_text(encoding="utf-8")))
        assert used <= set(dir(vo)), path.name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = vo.no_such_name


@pytest.mark.parametrize("dialect", vo.DIALECTS.values(), ids=lambda d: d.name)
def test_every_dialect_names_its_source_and_can_be_printed(dialect):
    assert dialect.source
    assert dialect.software in dialect.sentence()
    assert dialect.tau2_method in dialect.sentence()
