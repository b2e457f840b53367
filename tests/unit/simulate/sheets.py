"""Rows of the literature sheets by the line they stand in."""

import csv
import math
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from scipy.special import ndtri

import vertebro_outcomes as vo

LITERATURE = Path(vo.__file__).parents[1] / "data" / "raw" / "literature"


class Sheet:
    """`sheet[88].value`: column value of line 88 of the file, a number where it is one."""

    def __init__(self, name: str) -> None:
        with (LITERATURE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            self.rows = list(csv.DictReader(file))

    def __getitem__(self, line: int) -> SimpleNamespace:
        row = self.rows[line - 2]
        return SimpleNamespace(**{name: _number(text) for name, text in row.items()})


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


@cache
def names() -> dict[str, object]:
    """What an expression may speak of."""
    sheets = ("cohort_profile", "arm_continuous", "arm_binary", "contrasts")
    functions = {
        "log": math.log, "exp": math.exp, "sqrt": math.sqrt, "quantile": lambda p: float(ndtri(p)),
        "logit": lambda p: math.log(p / (1 - p)),
    }  # fmt: skip
    return {name: Sheet(name) for name in sheets} | functions


def evaluated(expression: str) -> float:
    """An expression over rows of the sheets."""
    return float(eval(expression, {"__builtins__": {}}, names()))
