"""A published review as data: its pooled units, the study rows under each, and what it printed."""

from dataclasses import dataclass, field
from typing import Final, Literal

from vertebro_outcomes.printed import Printed

Level = Literal["overall", "subgroup"]
DataType = Literal["counts", "means", "effects", "o_minus_e"]
PoolMethod = Literal["MH", "IV", "PETO", ""]
PoolModel = Literal["common", "random", ""]

MEASURES_OF: Final[dict[DataType, tuple[str, ...]]] = {
    "counts": ("OR", "RR", "RD", "PETO"),
    "means": ("MD", "SMD"),
    "effects": ("GEN", "HR", "OR", "RR", "MD", "SMD", "IRR"),
    "o_minus_e": ("PETO", "HR", "OR"),
}
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One study in one analysis, numbers as the review holds them; NaN where there is none.

    `_t` is the experimental arm, `_c` the control. `effect` and `se` are an entered estimate on the
    analysis scale (log for ratios). `o_minus_e`, `variance`: observed minus expected events and its
    variance. `published_*`: the effect on the reader's scale and the weight (percent) that the
    review shows. `texts` holds numbers that were printed with limited precision, by field name.
    """

    study: str
    year: str = ""
    subgroup: str = ""
    kind: str = ""  # "change": the means are changes, follow-up minus baseline
    estimable: bool = True
    events_t: float = NAN
    n_t: float = NAN
    events_c: float = NAN
    n_c: float = NAN
    mean_t: float = NAN
    sd_t: float = NAN
    mean_c: float = NAN
    sd_c: float = NAN
    effect: float = NAN
    se: float = NAN
    o_minus_e: float = NAN
    variance: float = NAN
    published_effect: float = NAN
    published_ci_low: float = NAN
    published_ci_high: float = NAN
    published_weight_pct: float = NAN
    risk_of_bias: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """Pooled numbers as the review stores or prints them, reader's scale; None where there is none.

    Numbers of a file are stored in full; `Printed.half_unit` of a printed text says what rounding
    leaves open.
    """

    estimate: Printed | None = None
    ci_low: Printed | None = None
    ci_high: Printed | None = None
    tau2: Printed | None = None
    q: Printed | None = None
    i2_pct: Printed | None = None
    z: Printed | None = None
    p_value: Printed | None = None
    q_between: Printed | None = None
    weights_pct: float = NAN


@dataclass(frozen=True, slots=True)
class ReviewUnit:
    """One pooled result of a review and the study lines it rests on.

    `level` and `ci_total` as the review shows them; `shown` is False for a value that a file stores but
    the review does not print (an overall total where only subgroup totals are shown). `measure` ""
    means that the file does not say.
    """

    unit_id: str
    level: Level
    comparison: str
    outcome: str
    subgroup: str
    data_type: DataType
    measure: str
    method: PoolMethod
    model: PoolModel
    lines: tuple[StudyLine, ...]
    published: Published
    ci_level: float = 0.95
    swap_events: bool = False
    log_scale: bool = (
        False  # of data_type "effects" and "o_minus_e": the analysis scale is a logarithm
    )
    dialect: str = "revman5"
    tau2_method: str = "DL"
    ci: str = "wald"
    shown: bool = True
    full_precision: bool = True
    subgroup_units: tuple[str, ...] = ()
    missing: str = ""  # what would be needed to recompute it; "" if nothing is


@dataclass(frozen=True)
class Review:
    """A published review: identifier, the format it was read from, its units, and what was passed over."""

    review_id: str
    format: str
    units: tuple[ReviewUnit, ...]
    title: str = ""
    notes: tuple[str, ...] = field(default=())
