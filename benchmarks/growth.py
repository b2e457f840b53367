"""How time and memory grow with the registry: ten thousand to ten million patients.

`python -m benchmarks.growth` simulates a registry of each size as canonical Parquet, runs every step
of the analysis in a process of its own, and writes docs/growth.csv and the table of
docs/large_registries.md. `--largest 1000000` stops earlier. `--further` measures the questions of the
second table alone, those about scores and complications of two arms, up to a million patients.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from vertebro_outcomes.tables.cohort import Cohort

DOCS = Path(__file__).parents[1] / "docs"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
FROM = 100_000  # below this size what every call costs anyway hides the growth
ARMS = {"treatment": "KP", "comparator": "NSM"}
TERMS = ["age_years", "sex"]
STEPS: dict[str, Callable[[Cohort], object]] = {
    "describe (coverage, completeness)": lambda c: (c.coverage(), c.quality()),
    "complication rates": vo.complication_rates,
    "balance and overlap weights": lambda c: vo.balance(c, **ARMS, covariates=TERMS),
    "cumulative incidence, Gray": vo.cumulative_incidence,
    "Cox": lambda c: vo.adjacent_fractures(
        c, **ARMS, event="fracture", method="cox", covariates=TERMS
    ),
    "Fine-Gray": lambda c: vo.adjacent_fractures(c, **ARMS, event="fracture", covariates=TERMS),
    "mortality (Cox by period, mean days)": lambda c: vo.mortality(c, **ARMS, covariates=TERMS),
}
FURTHER: dict[str, Callable[[Cohort], object]] = {
    "compare at one day (overlap weighting)": lambda c: vo.compare(
        c, outcome="pain_vas", day=90, **ARMS, method="overlap_weighting"
    ),
    "compare at one day (ANCOVA)": lambda c: vo.compare(
        c, outcome="pain_vas", day=90, **ARMS, method="ancova", covariates=["baseline", *TERMS]
    ),
    "compare over all visits (mixed model)": lambda c: vo.compare(
        c, outcome="pain_vas", day=90, **ARMS, method="mmrm"
    ),
    "complications of two arms": lambda c: vo.compare_complications(c, **ARMS),
    "complications of two arms (overlap weighting)": lambda c: vo.compare_complications(
        c, **ARMS, method="overlap_weighting", covariates=["age_years", "sex", "charlson"]
    ),
    "complications by site": vo.complication_sites,
    "bundle of a site": lambda c: vo.site_summary(c, site="A", day=90, **ARMS),
    "recurrent fractures": lambda c: vo.recurrent_fractures(c, **ARMS),
    "single vertebrae": vo.vertebra_fractures,
}
MOST_FURTHER = 1_000_000
SIMULATE = "simulate to Parquet"


def measured(step: str, folder: Path, n: int) -> dict[str, float]:
    """Time of one step in this process, and the most memory the process held."""
    wall, cpu = time.perf_counter(), time.process_time()
    if step == SIMULATE:
        vo.simulate_to(folder, n_patients=n, seed=1)
    else:
        (STEPS | FURTHER)[step](vo.load(folder))
    return {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_new_process(step: str, folder: Path, n: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--step", step, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--patients", str(n)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def growth(sizes: list[int], steps: Iterable[str]) -> pd.DataFrame:
    """`step patients cpu_seconds wall_seconds peak_mib`."""
    lines = []
    with tempfile.TemporaryDirectory() as place:
        for n in sizes:
            folder = Path(place) / f"patients_{n}"
            for step in (SIMULATE, *steps):
                if step in FURTHER and n > MOST_FURTHER:
                    continue
                lines.append({"step": step, "patients": n, **in_new_process(step, folder, n)})
                print(lines[-1], flush=True)
            for file in folder.iterdir():
                file.unlink()
    return pd.DataFrame(lines)


def exponents(lines: pd.DataFrame) -> pd.Series:
    """Slope of log time on log patients, by step."""
    found = {}
    for step, rows in lines[lines["patients"] >= FROM].groupby("step", sort=False):
        x, y = np.log(rows["patients"]), np.log(rows["cpu_seconds"])
        found[step] = float(np.polyfit(x, y, 1)[0]) if len(rows) > 1 else math.nan
    return pd.Series(found, dtype=float)


def as_markdown(lines: pd.DataFrame) -> str:
    """Seconds and peak memory by size, and the exponent, of the steps of the analysis."""
    lines = lines[~lines["step"].isin(FURTHER)]
    analysed = lines[lines["step"] != SIMULATE].groupby("patients")
    total = [
        f"{part['cpu_seconds'].sum():.0f} s, {part['peak_mib'].max() / 1024:.1f} GiB"
        for _, part in analysed
    ]
    all_steps = "| the analysis, all steps after one another | " + " | ".join(total) + " | |"
    return f"{rows_of(lines)}\n{all_steps}"


def rows_of(lines: pd.DataFrame) -> str:
    """A row for each step."""
    sizes, slope = sorted(lines["patients"].unique()), exponents(lines)
    rows = ["| step | " + " | ".join(f"{n:,} patients" for n in sizes) + " | exponent |"]
    rows.append("| --- |" + " ---: |" * (len(sizes) + 1))
    for step, own in lines.groupby("step", sort=False):
        at = own.set_index("patients")
        cells = [
            f"{at.loc[n, 'cpu_seconds']:.1f} s, {at.loc[n, 'peak_mib'] / 1024:.1f} GiB"
            for n in sizes
        ]
        rows.append(f"| {step} | " + " | ".join(cells) + f" | {slope.get(step, math.nan):.2f} |")
    return "\n".join(rows)


def further(lines: pd.DataFrame) -> str:
    """The second table."""
    return rows_of(lines[lines["step"].isin(FURTHER)])


def write(lines: pd.DataFrame) -> None:
    """The file of measurements, and the page as that file says it (rounded once, not twice)."""
    file = DOCS / "growth.csv"
    lines.to_csv(file, index=False, float_format="%.4g", lineterminator="\n")
    lines = pd.read_csv(file)
    page = DOCS / "large_registries.md"
    text = page.read_text(encoding="utf-8")
    for name, table in (("growth", as_markdown(lines)), ("further growth", further(lines))):
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest.split(f"<!-- end of {name} -->")[1]
        text = f"{before}<!-- {name} -->\n{table}\n<!-- end of {name} -->{after}"
    page.write_text(text, encoding="utf-8")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--largest", type=int, default=SIZES[-1])
    asked.add_argument("--further", action="store_true")
    asked.add_argument("--step")
    asked.add_argument("--folder", type=Path)
    asked.add_argument("--patients", type=int)
    words = asked.parse_args()
    if words.step:
        print(json.dumps(measured(words.step, words.folder, words.patients)))
        return
    largest = min(words.largest, MOST_FURTHER) if words.further else words.largest
    steps = FURTHER if words.further else STEPS | FURTHER
    lines = growth([n for n in SIZES if n <= largest], steps)
    if words.further:  # the measurements of the other steps stay as they are
        held, new = pd.read_csv(DOCS / "growth.csv"), lines[lines["step"].isin(FURTHER)]
        lines = pd.concat([held[~held["step"].isin(FURTHER)], new], ignore_index=True)
    write(lines)
    print(as_markdown(lines), further(lines), sep="\n")


if __name__ == "__main__":
    main()
