"""Run the quick tests against the oldest and the newest dependencies: `python .ci/versions.py`.

For this Python an environment with the lowest version that pyproject.toml allows of each dependency, and for
every Python from 3.11 on that is found one with the newest. Environments are kept in .venv-versions/.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".venv-versions"
NEWER = ("3.11", "3.12", "3.13", "3.14")
TOOLS = ("pytest>=8.3", "hypothesis>=6.120", "coverage>=7.6")
# No browser, no Java and no other software to compare with.
TESTS = (
    "tests/unit/tables", "tests/unit/estimators", "tests/unit/display", "tests/unit/test_spine.py",
    "tests/unit/loaders/test_load.py", "tests/unit/loaders/test_reading_files.py",
    "tests/unit/loaders/test_traps.py", "tests/unit/report/test_report.py",
    "--ignore=tests/unit/estimators/pooled/test_mantel_haenszel.py",
    # The bytes of a workbook are those of the library that wrote it.
    "--deselect=tests/unit/loaders/test_load.py::test_the_demonstrations_are_what_the_simulation_makes",
)  # fmt: skip
NUMBERS = ("-m", "slow or not slow", "tests/reliability/test_same_numbers.py")


def dependencies() -> list[str]:
    """What pyproject.toml asks for."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]


def lowest(asked: str) -> str:
    """`name>=1.2,<3` -> `name==1.2`."""
    found = re.fullmatch(r"([A-Za-z0-9_.\[\]-]+)>=([0-9.]+)(,<[0-9.]+)?", asked)
    assert found, asked
    return f"{found[1]}=={found[2]}"


def environments() -> Iterator[tuple[str, str, list[str]]]:
    """(name, interpreter, what to install)."""
    yield "oldest", sys.executable, [lowest(asked) for asked in dependencies()]
    for version in NEWER:
        interpreter = shutil.which(f"python{version}")
        if interpreter is None:
            print(f"python{version}: not found here")
        else:
            yield f"newest-{version}", interpreter, dependencies()


def run(name: str, interpreter: str, wanted: list[str]) -> int:
    """Make the environment, show what is in it, run the tests."""
    place = HOME / name
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", place], check=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "--prefer-binary", *wanted, *TOOLS], check=True)
    subprocess.run([*pip, "install", "--no-deps", "--editable", ROOT], check=True)
    print(f"== {name}", flush=True)
    subprocess.run([*pip, "freeze", "--exclude-editable"], check=True)
    pytest = [python, "-m", "pytest", "-p", "no:cacheprovider"]
    return max(
        subprocess.run([*pytest, *chosen], cwd=ROOT, check=False).returncode
        for chosen in (NUMBERS, TESTS)
    )


def main() -> None:
    """Exit status 1 if the tests fail anywhere."""
    chosen = sys.argv[1:]
    failed = [
        name
        for name, interpreter, wanted in environments()
        if (not chosen or name in chosen) and run(name, interpreter, wanted)
    ]
    print("failed: " + ", ".join(failed) if failed else "all passed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
