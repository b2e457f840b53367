"""The sheets of published figures, column by column, as they are extracted (one row, one number set)."""

from typing import Final, Literal

from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.tables.schema import Column, ColumnType, Table

DESIGNS: Final = (
    "rct_sham",
    "rct_open",
    "quasi_rct",
    "prospective_cohort",
    "retrospective_cohort",
    "claims",
    "case_series",
    "systematic_review",
    "network_meta_analysis",
    "ipd_meta_analysis",
)
KINDS: Final = ("baseline", "endpoint", "change")
UNITS: Final = ("patients", "levels", "leaks")
DIRECTIONS: Final = ("t_minus_c", "c_minus_t", "improvement_t_minus_c", "not_stated")
VERIFICATIONS: Final = ("seen", "corroborated")
REVIEW_MEASURES: Final = (
    "COUNT",
    "NNT",
    "LOG_OR",
    "ARM_MEAN",
    "MEAN_CHANGE",
    "MEAN_CHANGE_PCT",
    "MEAN_REDUCTION",
    "MD_PCT_OF_SCALE",
    "PROPORTION",
    "PROPORTION_PCT",
    "RANGE_PCT",
    "SUCRA_PCT",
)
P_VALUE: Final = r"[<>≤≥=]?\s*(0?\.[0-9]+|[01](\.0*)?|[0-9.]+[eE]-[0-9]+)"

_URL: Final = Column("source_url", "text", "where the text was read")
_LOCATOR: Final = Column("source_locator", "text", "where in the source the number stands")
_VERIFICATION: Final = Column(
    "verification",
    "text",
    "seen, or recalled and corroborated",
    codes=VERIFICATIONS,
    nullable=False,
)
_P_VALUE: Final = Column(
    "p_value", "text", "p-value as printed", pattern=P_VALUE, example="0.04 or <0.001"
)
_DIRECTION: Final = (
    Column("direction", "text", "which arm is subtracted", codes=DIRECTIONS, nullable=False),
    Column("direction_basis", "text", "stated, not_stated, or inferred: why", nullable=False),
)


def _text(
    name: str, meaning: str, *, need: Literal["needed", "may be blank"] = "may be blank"
) -> Column:
    return Column(name, "text", meaning, nullable=need == "may be blank")


def _numbers(
    names: str, kind: ColumnType, meaning: str, *, low: float | None = None
) -> tuple[Column, ...]:
    return tuple(Column(name, kind, f"{meaning}: {name}", low=low) for name in names.split())


_STUDY_ID: Final = _text("study_id", "the study, a row of studies.csv", need="needed")
_REVIEW_ID: Final = _text("review_id", "the review, a row of studies.csv", need="needed")
_OUTCOME: Final = _text("outcome", "a name of OUTCOMES", need="needed")
_ARM: Final = _text("arm", "treatment of the arm as printed", need="needed")
_TIME: Final = (
    Column("timepoint_days", "float", "days from the procedure", unit="days", low=0, high=36500),
    _text("timepoint_label", "time point as printed"),
)
_SCALE: Final = (
    Column("scale_min", "float", "lowest value of the scale, blank where not printed"),
    Column("scale_max", "float", "highest value of the scale, blank where not printed"),
)
_EFFECT: Final = (
    *_numbers("estimate ci_low ci_high", "float", "printed effect"),
    Column("ci_level", "float", "confidence level", unit="percent", low=50, high=99.99),
)

STUDIES: Final = Table(
    "studies",
    "a study or report",
    (
        _STUDY_ID,
        _text("parent_study_id", "the trial a companion report belongs to"),
        _text("label", "name for a reader", need="needed"),
        _text("trial_name", "acronym"),
        Column("year", "int", "year of publication", low=1980, high=2100),
        Column("design", "text", "study design", codes=DESIGNS),
        _text("population", "who was studied"),
        _text("country", "where"),
        _text("arms", "arms and patients, like VP:101|NSM:101"),
        Column("n_total", "int", "patients", low=0),
        _text("fracture_age_criterion", "age of the fracture at entry"),
        Column("followup_months_max", "float", "longest follow-up", unit="months", low=0),
        _text("registration", "trial registration"),
        _text("journal", "journal"),
        _text("doi", "DOI"),
        _text("pmid", "PubMed number"),
        _text("pmcid", "PubMed Central number"),
        _URL,
    ),
    key=("study_id",),
)
ARM_CONTINUOUS: Final = Table(
    "arm_continuous",
    "one arm, outcome and time: a mean and its spread",
    (
        _STUDY_ID,
        _OUTCOME,
        *_SCALE,
        Column("higher_is_better", "bool", "whether a higher printed value is better"),
        *_TIME,
        _ARM,
        Column("n", "int", "patients", low=1),
        Column("mean", "float", "mean"),
        *_numbers("sd se", "float", "spread as printed", low=0),
        *_numbers("ci_low ci_high median q1 q3", "float", "as printed"),
        Column("kind", "text", "what the mean is of", codes=KINDS, nullable=False),
        _LOCATOR,
        _URL,
        _VERIFICATION,
    ),
)
ARM_BINARY: Final = Table(
    "arm_binary",
    "one arm: events of n",
    (
        _STUDY_ID,
        _OUTCOME,
        *_TIME,
        _ARM,
        Column("events", "int", "with the event, blank where only a percentage is printed", low=0),
        Column("n", "int", "patients or levels observed", low=1),
        Column("unit", "text", "what is counted", codes=UNITS, nullable=False),
        _LOCATOR,
        _URL,
        _VERIFICATION,
    ),
)
CONTRASTS: Final = Table(
    "contrasts",
    "one printed difference or ratio",
    (
        _STUDY_ID,
        _OUTCOME,
        *_TIME,
        _text("treatment", "first arm, or a risk factor", need="needed"),
        _text("comparator", "second arm, or the absence of the factor", need="needed"),
        Column("measure", "text", "effect measure", codes=(*MEASURES, "NNT")),
        *_EFFECT,
        Column("se", "float", "standard error", low=0),
        _P_VALUE,
        _text("adjusted", "1, 0 or how"),
        *_numbers("n_treatment n_comparator", "int", "patients", low=1),
        _LOCATOR,
        _URL,
        _VERIFICATION,
        *_DIRECTION,
    ),
)
POOLED_PUBLISHED: Final = Table(
    "pooled_published",
    "one pooled result of a review",
    (
        _REVIEW_ID,
        _text("comparison", "like VP vs NSM", need="needed"),
        _OUTCOME,
        _text("timepoint_label", "time point as printed"),
        _text("subgroup", "subgroup as printed"),
        Column("measure", "text", "effect measure", codes=(*MEASURES, *REVIEW_MEASURES)),
        _text("model", "model as printed"),
        *_EFFECT,
        _P_VALUE,
        Column("i2_pct", "float", "heterogeneity", unit="percent", low=0, high=100),
        *_numbers("tau2 q_stat", "float", "heterogeneity", low=0),
        *_numbers("k_studies n_total", "int", "size", low=0),
        *_numbers(
            "events_treatment n_treatment events_comparator n_comparator", "int", "counts", low=0
        ),
        _LOCATOR,
        _URL,
        _VERIFICATION,
        *_DIRECTION,
    ),
)
REVIEW_INPUTS: Final = Table(
    "review_inputs",
    "study-level inputs of a review",
    (
        _REVIEW_ID,
        _text("comparison", "like VP vs NSM", need="needed"),
        _OUTCOME,
        _text("timepoint_label", "time point as printed"),
        _text("study_label", "study as the review names it", need="needed"),
        _text("arm_t", "treatment", need="needed"),
        Column("mean_t", "float", "mean"),
        *_numbers("sd_t events_t", "float", "treatment arm", low=0),
        Column("n_t", "int", "patients", low=1),
        _text("arm_c", "comparator", need="needed"),
        Column("mean_c", "float", "mean"),
        *_numbers("sd_c events_c", "float", "comparator arm", low=0),
        Column("n_c", "int", "patients", low=1),
        *_numbers("effect ci_low ci_high", "float", "effect as printed"),
        Column("weight_pct", "float", "weight", unit="percent", low=0, high=100),
        _LOCATOR,
        _URL,
        Column("kind", "text", "what the means are of", codes=("endpoint", "change")),
        _VERIFICATION,
    ),
)
MCID: Final = Table(
    "mcid",
    "smallest worthwhile change or margin",
    (
        _OUTCOME,
        *_SCALE,
        Column("mcid", "float", "the change", nullable=False),
        _text("method", "how it was found", need="needed"),
        _text("population", "in whom"),
        _STUDY_ID,
        _URL,
    ),
)
CODES: Final = Table(
    "codes",
    "procedure and diagnosis codes",
    (
        _text("system", "code system", need="needed"),
        _text("code", "code", need="needed"),
        _text("meaning", "meaning"),
        _text("treatment_or_condition", "treatment or condition it stands for", need="needed"),
        Column("valid_from", "date", "first day of validity"),
        Column("valid_to", "date", "last day of validity"),
        _URL,
    ),
    key=("system", "code"),
)
COHORT_PROFILE: Final = Table(
    "cohort_profile",
    "a figure on patient mix, treatment or follow-up",
    (
        _STUDY_ID,
        _text("variable", "what is described", need="needed"),
        _text("arm", "arm or group as printed"),
        _text("statistic", "percent, mean, sd ...", need="needed"),
        Column("value", "float", "the figure", nullable=False),
        Column("n", "int", "patients", low=1),
        _URL,
    ),
)
KNOWN_CONTRADICTIONS: Final = Table(
    "known_contradictions",
    "a contradiction seen at extraction, one side of which stands in no other sheet",
    (
        _STUDY_ID,
        _text("about", "which number it is about", need="needed"),
        _text("printed", "what is printed, side by side", need="needed"),
        _text("noted", "what follows", need="needed"),
        _text("source", "how it is known", need="needed"),
    ),
)
LITERATURE_TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        STUDIES,
        ARM_CONTINUOUS,
        ARM_BINARY,
        CONTRASTS,
        POOLED_PUBLISHED,
        REVIEW_INPUTS,
        MCID,
        CODES,
        COHORT_PROFILE,
        KNOWN_CONTRADICTIONS,
    )
}
