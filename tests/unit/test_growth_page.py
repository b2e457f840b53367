"""The table of docs/large_registries.md is that of the measurements beside it."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.growth import FROM, FURTHER, STEPS, as_markdown, exponents, further

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_prints_the_measurements():
    lines = pd.read_csv(DOCS / "growth.csv")
    page = (DOCS / "large_registries.md").read_text(encoding="utf-8")
    assert as_markdown(lines) in page
    assert further(lines) in page
    assert {*STEPS, *FURTHER} < set(lines["step"])


def test_the_exponent_of_a_square_law_is_two():
    sizes = [FROM // 10, FROM, 10 * FROM, 100 * FROM]
    lines = pd.DataFrame(
        {"step": "a", "patients": sizes, "cpu_seconds": [7.0, *[n**2 / 1e9 for n in sizes[1:]]]}
    )
    assert exponents(lines)["a"] == pytest.approx(2.0, rel=1e-12)
