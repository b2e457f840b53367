"""Everything the report says about one registry: what was computed, and what could not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from vertebro_outcomes.display.disclosure import LARGEST_HIDDEN
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.results.complication_chart import ComplicationChart
from vertebro_outcomes.results.complication_definitions import ComplicationDefinitions
from vertebro_outcomes.results.complication_ranking import ComplicationRanking
from vertebro_outcomes.results.complication_rates import ComplicationRates
from vertebro_outcomes.results.cumulative_incidence import CumulativeIncidence
from vertebro_outcomes.results.fracture_risk import FractureRisk
from vertebro_outcomes.results.mortality import Mortality
from vertebro_outcomes.results.site_rates import SiteRates
from vertebro_outcomes.results.vertebra_risk import VertebraRisk

# Whose rate the chart over time holds the procedures against.
ChartRate = Literal["set", "published", "registry"]


@dataclass(frozen=True, eq=False)
class RegistryAnalysis:
    """The results of one cohort; counts are in full, hiding small ones is the report's work.

    Attributes
    ----------
    comparisons : mapping
        (treatment, comparator) -> the comparison by weights at the day of interest.
    trajectories : mapping
        (treatment, comparator) -> the model for all visits.
    fractures : mapping
        (treatment, comparator) -> risk of a new fracture.
    deaths : mapping
        (treatment, comparator) -> mortality from the procedure, or for augmentation against
        non-surgical care the trial emulated from presentation.
    vertebrae : VertebraRisk or None
        Risk of single vertebrae.
    rejected : DataFrame
        `source_file column rule count` of refused rows and cells.
    failed : tuple of (str, VertebroError)
        What was tried and refused, with the reason.
    further : mapping
        (treatment, comparator, outcome) -> the comparison of another score on the same day.
    claims : DataFrame or None
        What `registry_claims` found: one row per claim that needs patients.
    largest_hidden : int
        Counts from 1 to this are hidden where the results are printed.
    margins : mapping
        Outcome -> smallest worthwhile difference, where another than the usual one is set.
    sites, chart, definitions, ranking
        Complications between sites, over time (where procedures are dated), under each definition,
        and by rank.
    chart_rate : {"set", "published", "registry"}
        Whose rate the chart over time holds the procedures against.
    """

    name: str
    synthetic: bool
    coverage: pd.DataFrame
    quality: pd.DataFrame
    accounting: pd.DataFrame
    rejected: pd.DataFrame
    attrition: pd.DataFrame
    comparisons: Mapping[tuple[str, str], Comparison]
    trajectories: Mapping[tuple[str, str], Comparison]
    complications: ComplicationRates | None
    incidence: CumulativeIncidence | None
    fractures: Mapping[tuple[str, str], FractureRisk]
    deaths: Mapping[tuple[str, str], Mortality | Comparison]
    vertebrae: VertebraRisk | None
    failed: tuple[tuple[str, VertebroError], ...] = ()
    further: Mapping[tuple[str, str, str], Comparison] = field(default_factory=dict)
    claims: pd.DataFrame | None = None
    largest_hidden: int = LARGEST_HIDDEN
    margins: Mapping[str, float] = field(default_factory=dict)
    sites: SiteRates | None = None
    chart: ComplicationChart | None = None
    chart_rate: ChartRate = "registry"
    definitions: ComplicationDefinitions | None = None
    ranking: ComplicationRanking | None = None


@dataclass(frozen=True)
class UnreadRegistry:
    """An export that could not be loaded, and why."""

    name: str
    error: VertebroError
