"""The import ladder of the package, module length, and no imports hidden in functions."""

import ast
from pathlib import Path

import pytest

import vertebro_outcomes

PACKAGE = Path(vertebro_outcomes.__file__).parent
LEVELS = (
    {"errors", "discover"},
    {"vocabulary", "measures", "dialects", "spine", "printed"},
    {"outcomes"},
    {"tables", "estimators", "display"},
    {"loaders", "results", "simulate"},
    {"comparisons", "meta_analysis", "cli_steps"},
    {"report", "cli_sites", "cli_registries"},
    {"__init__", "cli"},
    {"__main__"},
)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
MOST_LINES = 300
MODULES = sorted(PACKAGE.rglob("*.py"))


def cell_of(module: str) -> str:
    """`vertebro_outcomes.estimators.pooled` -> `estimators`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the full name"
            found.append((node.lineno, node.module or ""))
            if node.module == "vertebro_outcomes":
                found += [(node.lineno, f"vertebro_outcomes.{name.name}") for name in node.names]
    return [(line, name) for line, name in found if name.startswith("vertebro_outcomes.")]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_go_down_the_ladder(path):
    here = cell_of(dotted(path))
    assert here in LEVEL_OF, f"{here} has no place on the ladder"
    for line, target in imports_of(path):
        there = cell_of(target)
        assert there == here or LEVEL_OF[there] < LEVEL_OF[here], (
            f"{path}:{line}: {here} (level {LEVEL_OF[here]}) imports {there} (level {LEVEL_OF[there]})"
        )


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_holds_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_no_own_import_hides_in_a_function(path):
    """Heavy third-party imports may wait for first use; our own may not dodge a cycle that way."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                names = (
                    [inner.module or ""]
                    if isinstance(inner, ast.ImportFrom)
                    else [n.name for n in inner.names]
                    if isinstance(inner, ast.Import)
                    else []
                )
                assert not any(name.startswith("vertebro_outcomes") for name in names), (
                    f"{path}:{inner.lineno}"
                )


def test_the_package_is_not_empty():
    assert len(MODULES) > 10
