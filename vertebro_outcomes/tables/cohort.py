"""A registry cohort: frozen canonical tables with the account of every row that came in or left."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.tables.building import cohort_tables_from_frames
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.derived import with_derived_columns
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument
from vertebro_outcomes.tables.instruments import declared_instruments
from vertebro_outcomes.tables.quality import coverage, data_quality
from vertebro_outcomes.tables.selection import attrition_line, restrict, select_rows
from vertebro_outcomes.tables.storage import empty_ledger, write_cohort
from vertebro_outcomes.tables.typed_frames import to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir

Unit = Literal["patients", "episodes", "levels"]
REJECT_COLUMNS = ("source_file", "line", "column", "found", "rule")
ACCOUNT_COLUMNS = ("source_file", "rows_in", "rows_used", "rows_rejected", "rows_ignored")
IGNORED_COLUMNS = ("source_file", "rule", "rows")


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Patients, episodes, levels, scores, events and fractures of one registry.

    Tables are Ibis expressions (`cohort.scores`); `cohort.frame("scores")` is the same as a
    DataFrame. Days count from day 0 of the episode. A blank cell is `missing` unless `absences`
    (or `scores.status`) says `not_asked`, `not_applicable` or `dead`.

    Attributes
    ----------
    rejects : DataFrame
        Every refused row or cell: `source_file line column found rule`.
    accounting : DataFrame
        Per source file `rows_in rows_used rows_rejected rows_ignored`, each counted for itself.
    ignored : DataFrame
        Why rows were ignored: `source_file rule rows`.
    attrition : DataFrame
        One line per `keep`: `step n_patients n_VP n_KP n_NSM`.
    unmapped : DataFrame
        Columns and files nobody mapped: `source_file column reason`.
    notes : tuple of str
        What a reader of results should know about how this cohort was made.
    synthetic : bool
        True for simulated or invented data; survives `keep`, `write` and `load`.
    instruments : mapping of str to Instrument
        Scores declared for this cohort, beside the published ones; they survive like `synthetic`.
    """

    tables: Mapping[str, "ir.Table"]
    name: str = "cohort"
    rejects: pd.DataFrame = field(default_factory=lambda: empty_ledger(REJECT_COLUMNS))
    accounting: pd.DataFrame = field(default_factory=lambda: empty_ledger(ACCOUNT_COLUMNS))
    ignored: pd.DataFrame = field(default_factory=lambda: empty_ledger(IGNORED_COLUMNS))
    attrition: pd.DataFrame = field(default_factory=pd.DataFrame)
    unmapped: pd.DataFrame = field(
        default_factory=lambda: empty_ledger(("source_file", "column", "reason"))
    )
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)  # source file -> content hash
    instruments: Mapping[str, Instrument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.attrition.empty:
            first = attrition_line(self.tables)
            object.__setattr__(self, "attrition", pd.DataFrame([first]))

    @property
    def known_instruments(self) -> dict[str, Instrument]:
        """Published instruments and those declared for this cohort."""
        return {**INSTRUMENTS, **self.instruments}

    @property
    def patients(self) -> "ir.Table":
        return self.tables["patients"]

    @property
    def episodes(self) -> "ir.Table":
        return self.tables["episodes"]

    @property
    def levels(self) -> "ir.Table":
        return self.tables["levels"]

    @property
    def scores(self) -> "ir.Table":
        return self.tables["scores"]

    @property
    def events(self) -> "ir.Table":
        return self.tables["events"]

    @property
    def fractures(self) -> "ir.Table":
        return self.tables["fractures"]

    @property
    def absences(self) -> "ir.Table":
        return self.tables["absences"]

    def frame(self, name: str) -> pd.DataFrame:
        """One table as a DataFrame, in the order of its key.

        Parameters
        ----------
        name : str
            `patients episodes levels scores events fractures` or `absences`.

        Returns
        -------
        DataFrame
            Columns as declared in `TABLES[name]`; whole numbers Int64, missing is NA.

        Raises
        ------
        InputError
            For any other name.
        """
        if name not in self.tables:
            raise refuse_argument("Cohort.frame", "name", name, ", ".join(STORED))
        data, declared = self.tables[name], STORED[name]
        order = dict.fromkeys(("patient_id", *declared.key, *declared.names))
        return to_pandas(data.order_by(list(order)).to_pyarrow(), declared)

    def keep(self, mask_or_expression: Any, *, because: str) -> Self:
        """A smaller cohort, with a line in `attrition` that says why.

        Parameters
        ----------
        mask_or_expression : Ibis boolean expression, Series or array of bool
            An expression over one of this cohort's tables (`cohort.episodes.treatment == "VP"`).
            On `patients` it keeps patients; on `episodes` it keeps episodes and the patients who
            have one left; on any other table it keeps patients with at least one such row. A mask
            is aligned with `frame("patients")` or `frame("episodes")`. Missing counts as no.
        because : str
            The reason, as the flow chart will print it.

        Returns
        -------
        Cohort
            With every table restricted to the same patients and episodes.

        Raises
        ------
        InputError
            If the mask fits neither table, or the expression belongs to another cohort.
        """
        if not str(because or "").strip():
            raise refuse_argument("Cohort.keep", "because", because, "a reason in words")
        patients, episodes = select_rows(self.tables, mask_or_expression)
        tables = restrict(self.tables, patients, episodes)
        line = pd.DataFrame([attrition_line(tables, because)])
        attrition = pd.concat([self.attrition, line], ignore_index=True)
        return replace(self, tables=tables, attrition=attrition)

    def units(
        self, unit: Unit, *, levels_as_independent: Literal["refuse", "accept"] = "refuse"
    ) -> pd.DataFrame:
        """One row per analysed unit: patients, episodes (procedures) or levels.

        Levels of one patient are not independent: they come only with
        ``levels_as_independent="accept"``, which a reader of the code can see.
        """
        if unit not in ("patients", "episodes", "levels"):
            raise refuse_argument("Cohort.units", "unit", unit, "patients, episodes, levels")
        if unit == "levels" and levels_as_independent != "accept":
            raise refuse_argument(
                "Cohort.units",
                "unit",
                unit,
                "patients or episodes; levels of one patient are correlated, so counting them as "
                'independent takes levels_as_independent="accept"',
            )
        return self.frame(unit)

    def coverage(self) -> pd.DataFrame:
        """Sites reporting, patients registered, follow-up rate at one year: `measure value n of`."""
        return coverage(self.tables)

    def quality(self) -> pd.DataFrame:
        """Completeness of every column: `table column n n_present complete_pct` and why absent."""
        return data_quality(self.tables)

    def write(self, folder: str | Path) -> Path:
        """Write the canonical Parquet files at once or not at all; `vo.load(folder)` reads them.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the folder exists and holds something that is no cohort.
        """
        return write_cohort(self, Path(folder))

    @classmethod
    def from_frames(
        cls,
        *,
        patients: pd.DataFrame,
        episodes: pd.DataFrame,
        levels: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        events: pd.DataFrame | None = None,
        fractures: pd.DataFrame | None = None,
        absences: pd.DataFrame | None = None,
        name: str = "cohort",
        synthetic: bool = False,
        instruments: Mapping[str, Instrument] | None = None,
        engine: Any = None,
    ) -> "Cohort":
        """A cohort from DataFrames.

        Parameters
        ----------
        patients, episodes, levels, scores, events, fractures, absences : DataFrame
            Canonical tables (`TABLES`). Keys and the columns an analysis needs are required; every
            other declared column may be absent and is then missing. Further columns are kept.
            Without `episode_id` a patient has one episode.
        name : str
            Name for messages and reports.
        synthetic : bool
            True for simulated or invented data.
        instruments : mapping of str to Instrument, optional
            Scores of your own: `{"headache": vo.Instrument(low=0, high=100, better="lower")}`.
        engine : Ibis backend, optional
            Where the tables live; an embedded DuckDB by default.

        Returns
        -------
        Cohort

        Raises
        ------
        InputError
            With every column, value and key that breaks the declaration.

        Examples
        --------
        >>> import pandas as pd
        >>> cohort = Cohort.from_frames(
        ...     patients=pd.DataFrame({"patient_id": ["a", "b"]}),
        ...     episodes=pd.DataFrame({"patient_id": ["a", "b"], "treatment": ["VP", "NSM"]}),
        ... )
        >>> cohort.attrition.n_patients.tolist()
        [2]
        """
        frames = {
            "patients": patients, "episodes": episodes, "levels": levels, "scores": scores,
            "events": events, "fractures": fractures, "absences": absences,
        }  # fmt: skip
        own = declared_instruments(instruments, call="Cohort.from_frames()")
        tables = cohort_tables_from_frames(frames, engine, {**INSTRUMENTS, **own})
        return cls(
            tables=with_derived_columns(tables), name=name, synthetic=synthetic, instruments=own
        )

    def __str__(self) -> str:
        last = self.attrition.iloc[-1]
        arms = ", ".join(f"{last[f'n_{arm}']} {arm}" for arm in ("VP", "KP", "NSM"))
        mark = " (synthetic)" if self.synthetic else ""
        return f"{self.name}{mark}: {last['n_patients']} patients ({arms})"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = str(self).replace("&", "&amp;").replace("<", "&lt;")
        return f"<p>{head}</p>{self.attrition.to_html(index=False)}"
