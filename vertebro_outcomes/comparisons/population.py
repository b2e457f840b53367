"""Who is compared: the episodes of both arms with scores, covariates and death, as arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, MOST_SCORES, refuse_beyond
from vertebro_outcomes.comparisons.windows import last_before, nearest_in_window
from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import count
from vertebro_outcomes.tables.trial_coding import AS_CODED

# Augmentation not split by type holds its types.
TYPES_OF: Final = {"VA": ("VA", "VP", "KP", "VAI")}
FIRST_BY: Final = ("treatment_date", "presentation_date", "fracture_date", "episode_id")
_KEYS: Final = ("episode_id", "patient_id", "_patient")


def words_of(arm: str) -> tuple[str, ...]:
    """The treatments that an arm stands for."""
    return TYPES_OF.get(arm, (arm,))


@dataclass(frozen=True)
class AtDay:
    """Per patient the two scores that a comparison at one day reads, NaN where there is none.

    `days` asks the engine on which days after day 0 there are scores.
    """

    day: int
    window: tuple[int, int]
    baseline: Floats
    score: Floats
    days: Callable[[], Ints]


@dataclass(frozen=True)
class Population:
    """One row per patient (the first episode in either arm), in the order of patient_id.

    `row`, `day`, `value` are the scores of the outcome: the row of their patient, day and value;
    none where the engine picked those that are read (`at_day`). `known` names every column of the
    cohort where `frame` holds some of them, `crossed` is the day of the first change of treatment.
    """

    frame: pd.DataFrame
    treated: Bools
    row: Ints
    day: Ints
    value: Floats
    later_episodes: tuple[int, int]
    episodes_of: frozenset[str]  # columns that come from table episodes
    known: tuple[str, ...] = ()
    at_day: AtDay | None = None
    crossed: Floats | None = None

    @property
    def n(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the cohort has of these patients."""
        return self.known or tuple(self.frame.columns)

    def baseline(self) -> Floats:
        """The last score up to day 0."""
        if self.at_day is not None:
            return self.at_day.baseline
        return last_before(self.row, self.day, self.value, n=self.n)

    def score_at(self, day: int, window: tuple[int, int]) -> Floats:
        """The score nearest to `day`."""
        if self.at_day is not None:
            assert (day, window) == (self.at_day.day, self.at_day.window)
            return self.at_day.score
        return nearest_in_window(
            self.row, self.day, self.value, n=self.n, target=day, window=window
        )

    def days_after_day0(self) -> Ints:
        """Every day after day 0 on which somebody has a score."""
        return np.unique(self.day[self.day > 0]) if self.at_day is None else self.at_day.days()


def population(
    cohort: Cohort, *, outcome: str, treatment: str, comparator: str, function: str = "compare"
) -> Population:
    """The patients of both arms.

    Raises
    ------
    InputError
        If an arm has no patient.
    """
    return population_in(cohort, outcome=outcome, arms=(treatment, comparator), function=function)


def population_in(
    cohort: Cohort, *, outcome: str, arms: Sequence[str], function: str = "compare"
) -> Population:
    """The patients of several arms; `treated` had the first of them.

    Raises
    ------
    InputError
        If an arm has no patient.
    """
    words = [word for arm in arms for word in words_of(arm)]
    episodes = cohort.episodes.filter(cohort.episodes.treatment.isin(words))
    people = _first_episodes(
        cohort, episodes, outcome=outcome, treatment=arms[0], function=function
    )
    refuse_absent(cohort, people.frame, arms, function)
    return people


def refuse_absent(cohort: Cohort, frame: pd.DataFrame, arms: Sequence[str], function: str) -> None:
    """Refuse an arm without a patient."""
    for arm in arms:
        if not frame["treatment"].isin(words_of(arm)).any():
            raise nobody(cohort, arm, function)


def patients_of(cohort: Cohort, *, outcome: str, treatment: str) -> Population:
    """Every patient, whatever the treatment of the first episode; `treated` had this one.

    Raises
    ------
    InputError
        If nobody had it.
    """
    people = _first_episodes(cohort, cohort.episodes, outcome=outcome, treatment=treatment)
    if not people.treated.any():
        raise nobody(cohort, treatment, "compare")
    return people


def nobody(cohort: Cohort, arm: str, function: str) -> InputError:
    """The refusal of an arm without a patient: the arms that there are, in words."""
    held = cohort.episodes.select("treatment").distinct().to_pyarrow()["treatment"].to_pylist()
    known = list_some(sorted(word for word in held if word is not None), most=20)
    found = "no patient has this treatment"
    if set(words_of(arm)) & set(held):
        found += " as the first of both"
    problem = Problem(f"arm {arm}", found, "at least two patients")
    step = f"choose arms that the cohort has: {known}" if known else "fill episodes.treatment"
    return InputError(f"{function}()", [problem], step)


def _first_episodes(
    cohort: Cohort, episodes: Any, *, outcome: str, treatment: str, function: str = "compare"
) -> Population:
    """One row per patient in the order of patient_id: joined and sorted where the tables live."""
    types = types_of_columns(cohort)
    own = [c for c in types if c not in episodes.columns]
    patients = cohort.patients.select(*own, _patient=cohort.patients.patient_id)
    first, later = _split(_joined(episodes, patients, function), treatment)
    frame = as_pandas(first, {name: kind.to_pyarrow() for name, kind in types.items()})
    frame = _under_own_names(frame)
    treated = frame["treatment"].isin(words_of(treatment)).to_numpy(dtype=bool)
    row, day, value = _scores(cohort, outcome, first["episode_id"], function)
    return Population(
        frame=frame,
        treated=treated,
        row=row,
        day=day,
        value=value,
        later_episodes=later,
        episodes_of=frozenset(episodes.columns),
    )


def types_of_columns(cohort: Cohort) -> dict[str, Any]:
    """The columns of a patient with an episode, and their types: those of episodes come first."""
    own, episodes = dict(cohort.patients.schema().items()), dict(cohort.episodes.schema().items())
    return {**episodes, **{name: kind for name, kind in own.items() if name not in episodes}}


def _joined(episodes: Any, patients: Any, function: str) -> Any:
    """Episodes with what is recorded of them and of their patient, as an Arrow table.

    In the order of patient_id, the earliest episode first; columns without any value stay behind.
    """
    (n, left), (_, right) = _recorded(episodes), _recorded(patients)
    refuse_beyond(n, MOST_ROWS, where="cohort", what="episodes of these arms", function=function)
    both = episodes.select(*left).left_join(
        patients.select(*right), episodes.patient_id == patients["_patient"]
    )
    by = [both[name].asc(nulls_first=False) for name in FIRST_BY if name in left]
    return both.drop("_patient").order_by(["patient_id", *by]).to_pyarrow()


def _recorded(table: Any) -> tuple[int, list[str]]:
    """How many rows, and the columns with a value in some of them, and the keys."""
    counted = table.aggregate(_n=table.count(), **{c: table[c].count() for c in table.columns})
    found = counted.to_pyarrow().to_pylist()[0]
    names = [name for name in table.columns if found[name] or name in (*_KEYS, "treatment")]
    return found["_n"], names


def _split(every: Any, treatment: str) -> tuple[Any, tuple[int, int]]:
    """The first episode of every patient, and how many later ones there are, own and other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = every["patient_id"].combine_chunks()
    if not len(ids):
        return every, (0, 0)
    first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    if first.true_count == len(ids):  # the usual case, and the large one
        return every, (0, 0)
    again = every["treatment"].filter(pc.invert(first))
    own = pc.sum(pc.is_in(again, pa.array(words_of(treatment), again.type))).as_py()
    return every.filter(first), (own, len(again) - own)


def _scores(
    cohort: Cohort, outcome: str, episode_ids: Any, function: str
) -> tuple[Ints, Ints, Floats]:
    """Row of the patient, day and value of every score, in this order."""
    import pyarrow.compute as pc

    scores = cohort.scores
    wanted = scores.filter((scores.instrument == outcome) & scores.value.notnull())  # noqa: PD004
    n = count(wanted)
    refuse_beyond(n, MOST_SCORES, where=f"scores of {outcome}", what="rows", function=function)
    found = wanted.select("episode_id", "day", "value").to_pyarrow()
    known = pc.index_in(found["episode_id"].cast(episode_ids.type), value_set=episode_ids)
    at = known.fill_null(-1).to_numpy().astype(np.int64)
    day = found["day"].to_numpy()
    value = found["value"].to_numpy().astype(np.float64)
    used = (at >= 0) & np.isfinite(value) & pd.notna(day)
    return in_order(at[used], np.asarray(day[used], dtype=np.int64), value[used])


def in_order(row: Ints, day: Ints, value: Floats) -> tuple[Ints, Ints, Floats]:
    """Scores in the order of the patients and days."""
    ahead = np.diff(row)
    if (ahead > 0).all():  # one score each, already in the order of the patients
        return row, day, value
    order = np.lexsort((day, row))
    return row[order], day[order], value[order]


def _under_own_names(frame: pd.DataFrame) -> pd.DataFrame:
    """A trial's own coding of a declared column stands for it where the declared one is blank."""
    coded = [name for name in frame.columns if name.endswith(AS_CODED)]
    for name in coded:
        own = name.removesuffix(AS_CODED)
        if own not in frame or frame[own].isna().all():
            frame = frame.drop(columns=name).assign(**{own: frame[name]})
    return frame


def as_pandas(table: Any, types: Mapping[str, Any]) -> pd.DataFrame:
    """The columns of `types` as pandas has them, each by itself; all blank what the table lacks."""
    import pyarrow as pa

    blank: dict[Any, pd.Series] = {}
    columns = {}
    for name, kind in types.items():
        if name in table.column_names:  # no two identifiers are equal: none is looked for
            columns[name] = table[name].to_pandas(deduplicate_objects=name not in _KEYS)
        else:
            if kind not in blank:
                blank[kind] = pa.nulls(len(table), kind).to_pandas()
            columns[name] = blank[kind]
    return pd.DataFrame(columns, copy=False)
