"""Write the licences of the locked dependencies: `python .ci/licences.py` -> .github/LICENCES.md."""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / ".github" / "LICENCES.md"
HEAD = """# Licences of what the report needs

Made by `python .ci/licences.py` from `.requirements/report.txt` and what the installed packages say of
themselves; `not installed here` stands for packages of another system.

| package | version | licence |
|---|---|---|
"""


def licence_of(name: str) -> str:
    """What a package says: its SPDX expression, else its classifiers, else its licence field."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not installed here"
    classified = [
        line.rsplit(" :: ", 1)[-1]
        for line in about.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    written = (about.get("License") or "").strip().split("\n")[0]
    return about.get("License-Expression") or ", ".join(classified) or written or "not said"


def locked() -> list[tuple[str, str]]:
    """Name and version of every pinned package."""
    text = (ROOT / ".requirements" / "report.txt").read_text("utf-8")
    return re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)


def main() -> None:
    """Write the page."""
    rows = [f"| {name} | {version} | {licence_of(name)} |" for name, version in locked()]
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main()
