"""Which version of the readers made a result: a change of theirs is a reason to load again."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
# What a load runs through: modules at the top, and these folders.
_READERS: Final = ("loaders", "tables")


@cache
def program_hash() -> str:
    """SHA-256 over the sources and lists that decide what an export becomes."""
    files = [*_PACKAGE.glob("*.py"), *(f for d in _READERS for f in (_PACKAGE / d).rglob("*"))]
    whole = hashlib.sha256()
    for path in sorted(set(files)):
        if path.suffix in (".py", ".csv", ".toml") and not path.name.startswith("cli"):
            whole.update(f"{path.relative_to(_PACKAGE).as_posix()}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
