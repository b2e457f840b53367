"""What a registry hands out when its patients may not leave: sums, curves and counts, no rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.results.site_bundle_checks import what_is_wrong

KIND: Final = "vertebro site summary"
LAYOUT: Final = 2
PARTS: Final = ("score", "balance", "event", "complications", "risk_sets")


@dataclass(frozen=True, eq=False, repr=False)
class SiteBundle:
    """Summaries of one site. A part is None where it would show too few patients; `notes` say why.

    Attributes
    ----------
    score : mapping or None
        `outcome day window terms n_t n_c names gram`: crossproducts of (1, arm, covariates, score)
        of the patients with all of them; the score is the nearest to the day within the window.
    balance : list or None
        `covariate mean_t sd_t mean_c sd_c` of the same patients.
    event : mapping or None
        `event n_t n_c events_t events_c log_hazard_ratio log_likelihood score information`: the
        partial likelihood of the arm on a grid.
    complications : list
        `type events_t n_t events_c n_c`, None where 1 to `smallest_count` - 1.
    risk_sets : list
        `arm day_from day_to at_risk events deaths`, None likewise.
    """

    site: str
    synthetic: bool
    smallest_count: int
    treatment: str
    comparator: str
    n_t: int
    n_c: int
    score: Mapping[str, Any] | None
    balance: list[dict[str, Any]] | None
    event: Mapping[str, Any] | None
    complications: list[dict[str, Any]]
    risk_sets: list[dict[str, Any]]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """`part shared synthetic`: one line per part."""
        return pd.DataFrame(
            {"part": PARTS, "shared": [bool(getattr(self, part)) for part in PARTS]}
        ).assign(synthetic=self.synthetic)

    def to_json(self) -> str:
        """The same site gives the same text."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({"kind": KIND, "layout": LAYOUT, **held}, indent=1, sort_keys=True) + "\n"

    def write(self, path: str | Path) -> Path:
        """Write the bundle as a JSON file."""
        path = Path(path)
        path.write_text(self.to_json(), encoding="utf-8")
        return path

    def __str__(self) -> str:
        mark = "SYNTHETIC data. " if self.synthetic else ""
        shared = [part.replace("_", " ") for part in PARTS if getattr(self, part)]
        return (
            f"{mark}Site {self.site}: {self.treatment} ({self.n_t} patients) and {self.comparator} "
            f"({self.n_c}); shared: {', '.join(shared) or 'nothing'}; counts from 1 to "
            f"{self.smallest_count - 1} are hidden."
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(html_table(self.to_frame(), caption=str(self)))


def read_site_bundle(path: str | Path) -> SiteBundle:
    """Read a bundle that `SiteBundle.write` wrote.

    Raises
    ------
    LoadError
        If the file is no such bundle, of another layout, or damaged.
    """
    path = Path(path)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = "no readable JSON"
        if isinstance(error, FileNotFoundError):
            found = "no such file"
        elif path.is_dir():
            found = "a folder, no file"
        raise _refusal(path, "file", found) from None
    if not isinstance(held, dict) or held.get("kind") != KIND:
        raise _refusal(path, "kind", "another kind of file")
    if held.get("layout") != LAYOUT:
        found = f"layout {held.get('layout')}, written by another version of vertebro"
        raise _refusal(path, "layout", found)
    if problem := what_is_wrong(held):
        raise _refusal(path, *problem)
    fields = {name: held[name] for name in SiteBundle.__dataclass_fields__}
    return SiteBundle(**{**fields, "notes": tuple(held["notes"])})


def _refusal(path: Path, where: str, found: str) -> LoadError:
    problem = Problem(where, found, f"a {KIND} of layout {LAYOUT}")
    return LoadError(path.name, [problem], "write it again at the site: vertebro site-summary")
