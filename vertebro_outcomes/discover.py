"""Collects one declaration from every module of a folder: a folder of like things is its own register."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def declarations(package: str, name: str) -> list[Any]:
    """The object called `name` from every module of `package` that declares it, by module name."""
    folder = import_module(package)
    modules = sorted(module.name for module in iter_modules(folder.__path__))
    loaded = (import_module(f"{package}.{module}") for module in modules)
    return [getattr(module, name) for module in loaded if hasattr(module, name)]
