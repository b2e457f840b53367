"""Raw sheets of published figures -> canonical literature tables, every number traceable to its line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import pandas as pd

from vertebro_outcomes.errors import LoadError, Problem, refuse_argument
from vertebro_outcomes.loaders.limits import unchanged
from vertebro_outcomes.loaders.literature.about import ABOUT_OUTCOMES, rows_about, studies_of
from vertebro_outcomes.loaders.literature.arms import read_arm
from vertebro_outcomes.loaders.literature.continuous import read_arm_means
from vertebro_outcomes.loaders.literature.corrections import apply_corrections
from vertebro_outcomes.loaders.literature.effects import (
    read_contrasts,
    to_treatment_minus_comparator,
)
from vertebro_outcomes.loaders.literature.sheets import Sheet, read_sheets
from vertebro_outcomes.loaders.literature.trials import trial_ids
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES
from vertebro_outcomes.tables.schema import Table, as_typed

_PACKAGE: Final = Path(__file__).resolve().parents[2]
_CHECKOUT: Final = _PACKAGE.parent / "data" / "raw" / "literature"
_SHIPPED: Final = _PACKAGE / "shipped" / "literature"


@dataclass(frozen=True, eq=False)
class Literature:
    """The published record as tables, and where every number of them stands.

    Every row has `sheet`, `line` and `source_line` (`contrasts.csv:12`), and rows about a study
    `trial_id` (no patient counts twice within one) and `design`. Columns named `*_printed` are the
    text of the sheet; the column without it is the number, with sign and scale put right.
    `corrections` lists the printed numbers that are read as another quantity. `printed` holds the sheets
    as text, for `check_reported`, which finds the numbers that contradict each other.
    """

    folder: Path
    studies: pd.DataFrame
    arm_continuous: pd.DataFrame
    arm_binary: pd.DataFrame
    contrasts: pd.DataFrame
    pooled_published: pd.DataFrame
    review_inputs: pd.DataFrame
    mcid: pd.DataFrame
    codes: pd.DataFrame
    cohort_profile: pd.DataFrame
    known_contradictions: pd.DataFrame
    corrections: pd.DataFrame
    printed: Mapping[str, pd.DataFrame]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("folder", "printed")
        }

    def about(
        self, outcomes: Collection[str], *, treatments: Collection[str] | None = None
    ) -> "Literature":
        """The rows of arms and contrasts on some outcomes, and the studies that they come from.

        Parameters
        ----------
        outcomes : collection of str
            Names of `OUTCOMES`.
        treatments : collection of str, optional
            Words of the vocabulary: rows about any other arm are left out.

        Returns
        -------
        Literature
            These rows without the columns that say where in its source a figure stands; the other
            tables are as they were.
        """
        rows = {
            name: rows_about(getattr(self, name), name, outcomes=outcomes, treatments=treatments)
            for name in ABOUT_OUTCOMES
        }
        return replace(self, studies=studies_of(self.studies, rows.values()), **rows)

    def label(self, study_id: str) -> str:
        """What a study is called; empty if there is none of that name."""
        rows = self.studies[self.studies["study_id"] == study_id]
        return str(rows["label"].iloc[0]) if len(rows) else ""

    def trace(self, source_line: str) -> "pd.Series[object]":
        """The row behind a source line: `trace("contrasts.csv:12")`."""
        sheet, _, line = str(source_line).partition(".csv:")
        table = self.tables.get(sheet) if sheet in LITERATURE_TABLES else None
        rows = table[table["source_line"] == source_line] if table is not None and line else None
        if rows is None or rows.empty:
            raise refuse_argument("trace", "source_line", source_line, "like 'contrasts.csv:12'")
        return rows.iloc[0]

    def study_line(self, study_id: str) -> str:
        """The line of a study in studies.csv."""
        rows = self.studies[self.studies["study_id"] == study_id]
        return str(rows["source_line"].iloc[0]) if len(rows) else ""


def literature_folder() -> Path:
    """Where the sheets are: in a checkout `data/raw/literature`, in an installed package its own copy."""
    return _CHECKOUT if _CHECKOUT.is_dir() else _SHIPPED


def load_literature(folder: str | Path | None = None) -> Literature:
    """Load the published figures on vertebral augmentation.

    Parameters
    ----------
    folder
        Folder with the sheets; default: the ones that belong to this package.

    Returns
    -------
    Literature
        Tables with signs as treatment minus (or over) comparator, spreads told apart, values on the
        outcome's scale where the printed scale is known, printed text kept beside every number.

    Raises
    ------
    LoadError
        Missing sheets or columns, numbers that are none, unknown treatments, outcomes or studies,
        study_id missing or twice, more events than patients: all problems in one message.

    Examples
    --------
    >>> literature = load_literature()
    >>> literature.trace("contrasts.csv:12")["study_id"]
    'clark2016'
    """
    path = literature_folder() if folder is None else Path(folder)
    if not path.is_dir():
        problem = Problem(
            str(path), "no such folder", "a folder with studies.csv and the other sheets"
        )
        raise LoadError("literature", [problem], "pass the folder that holds the sheets")
    with unchanged(path, sorted(path.glob("*.csv"))):
        sheets, problems = read_sheets(path)
    if problems:
        raise LoadError(
            f"literature, {path}", problems, "correct the lines named above and load again"
        )
    return _build(path, sheets)


def _build(path: Path, sheets: dict[str, Sheet]) -> Literature:
    cells, corrections = apply_corrections(sheets)
    trials = trial_ids(sheets["studies"].frame)
    tables = {name: _typed(sheets[name], cells[name]) for name in LITERATURE_TABLES}
    studies = tables["studies"]
    studies["trial_id"] = studies["study_id"].map(trials)
    design = studies.set_index("study_id")["design"]
    for name, table in tables.items():
        key = next((k for k in ("study_id", "review_id") if k in table.columns), None)
        if key and name != "studies":
            table["trial_id"] = table[key].map(trials)
            table["design"] = table[key].map(design)
    for name in ("arm_continuous", "arm_binary"):
        tables[name] = _with_arm(tables[name])
    tables["arm_continuous"] = read_arm_means(tables["arm_continuous"])
    tables["contrasts"] = read_contrasts(tables["contrasts"], tables["arm_continuous"])
    tables["pooled_published"] = _with_sides(
        to_treatment_minus_comparator(tables["pooled_published"])
    )
    tables["review_inputs"] = _with_sides(tables["review_inputs"])
    printed = {name: _printed(sheet, trials) for name, sheet in sheets.items()}
    return Literature(folder=path, corrections=corrections, printed=printed, **tables)


def _printed(sheet: Sheet, trials: Mapping[str, str]) -> pd.DataFrame:
    """A sheet as it stands, each row with its line and its trial."""
    key = next((k for k in ("study_id", "review_id") if k in sheet.frame.columns), None)
    lines = [f"{sheet.file}:{line}" for line in sheet.lines]
    trial = sheet.frame[key].map(trials).fillna(sheet.frame[key]) if key else ""
    return sheet.frame.assign(source_line=lines, trial_id=trial)


def _typed(sheet: Sheet, cells: pd.DataFrame) -> pd.DataFrame:
    """Numbers beside their printed text, with sheet and line; blank text is empty, never NaN."""
    table: Table = LITERATURE_TABLES[sheet.name]
    extra = [name for name in cells.columns if name not in table.names]  # filled by a correction
    typed = as_typed(cells, table)
    for name in extra:
        typed[name] = pd.to_numeric(cells[name].replace("", None)).astype("float64")
    for column in table.columns:
        if column.type in ("int", "float"):
            typed[f"{column.name}_printed"] = sheet.frame[column.name]
        elif column.type == "text":
            typed[column.name] = typed[column.name].where(typed[column.name].notna(), "")
    if "p_value" in typed.columns:
        typed = _with_p_value(typed)
    typed.insert(0, "sheet", sheet.file)
    typed.insert(1, "line", sheet.lines)
    typed.insert(2, "source_line", [f"{sheet.file}:{line}" for line in sheet.lines])
    return typed


def _with_p_value(rows: pd.DataFrame) -> pd.DataFrame:
    """`<0.01` is a bound: `p_value` 0.01 with `p_relation` `<`."""
    printed = rows["p_value"]
    parts = printed.str.extract(r"^([<>≤≥=]?)\s*(.*)$")
    return rows.assign(
        p_value_printed=printed,
        p_value=pd.to_numeric(parts[1].replace("", None)).astype("float64"),
        p_relation=parts[0].where(parts[0] != "", "=").where(printed != "", ""),
    )


def _with_arm(rows: pd.DataFrame) -> pd.DataFrame:
    arms = rows["arm"].map(read_arm)
    return rows.assign(
        arm_printed=rows["arm"],
        arm=arms.map(lambda arm: arm.treatment).astype(object),
        arm_kind=arms.map(lambda arm: arm.kind),
    )


def _with_sides(rows: pd.DataFrame) -> pd.DataFrame:
    """`treatment` and `comparator` of a comparison like `VP vs NSM`; None where a side is neither."""
    parts = [text.split(" vs ") for text in rows["comparison"]]
    sides = [
        [read_arm(word) for word in part] if len(part) == 2 else [None, None] for part in parts
    ]
    for i, name in enumerate(("treatment", "comparator")):
        arms = [side[i] for side in sides]
        words = [arm.treatment if arm else None for arm in arms]
        rows = rows.assign(**{name: pd.Series(words, index=rows.index, dtype=object)})
    return rows
