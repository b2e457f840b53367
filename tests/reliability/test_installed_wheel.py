"""The wheel, not the checkout: it carries its data and works from an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pandas as pd, vertebro_outcomes as vo
from pathlib import Path
assert Path(vo.__file__).is_relative_to(SITE), vo.__file__
home = Path(vo.__file__).parent
carried = {p.name for p in (home / "shipped" / "literature").glob("*.csv")}
assert {"studies.csv", "claims.csv", "contrasts.csv"} <= carried, carried
for name in ("py.typed", "report/page.html", "report/page.css", "report/page.js", "report/page.typ"):
    assert (home / name).is_file(), name
assert len(vo.load_literature(home / "shipped" / "literature").studies) > 100
assert vo.simulation_parameters().shape[0] > 10
cohort, _ = vo.simulate_registry(n_patients=60, seed=1)
cohort.write("cohort")
again = vo.load("cohort", format="canonical")
fit = vo.pool(pd.DataFrame({"effect": [0.1, 0.3], "variance": [0.1, 0.2]}))
print(len(again.frame("patients")), fit.k)
"""


@pytest.mark.slow
def test_the_wheel_carries_its_data_and_works(tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)],
        check=True, cwd=empty,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    setting = {**os.environ, "PYTHONPATH": str(site)}
    program = f"from pathlib import Path\nSITE = Path({str(site)!r})\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=empty, env=setting,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["60", "2"]
    said = subprocess.run(
        [sys.executable, "-m", "vertebro_outcomes", "--help"],
        capture_output=True, text=True, cwd=empty, env=setting, check=True,
    )  # fmt: skip
    assert "reproduce" in said.stdout
