"""Outcomes of vertebroplasty (VP), balloon kyphoplasty (KP) and non-surgical care (NSM).

Where to add things:

| to add | one place | what follows by itself |
| --- | --- | --- |
| an outcome | a record in `outcomes.py` | direction, scale, smallest worthwhile change |
| an effect measure | a record in `measures.py`, its formula in `estimators/effect_sizes/` | `effect_sizes` |
| a dialect | a record in `dialects.py` | `pool(dialect=...)`, Methods text |
| a question to the evidence | a record in `meta_analysis/question_list.py` | forest plot, table, provenance |
| a registry format | a file in `loaders/registries/` declaring `FORMAT` | `load()` recognises it |
| a report section | a file in `report/sections/` declaring `SECTION` | contents list, navigation |
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public names by the module they live in; a module loads on the first use of one of its names.
_HOMES = {
    "comparisons.area": "area_under_curve",
    "comparisons.responders": "responders",
    "comparisons.sustained_relief": "sustained_relief",
    "comparisons.arm_balance": "balance",
    "comparisons.arms": "compare_arms",
    "comparisons.calibration": "calibrate",
    "comparisons.compare": "compare",
    "comparisons.control_outcomes": "negative_controls",
    "comparisons.delta_adjusted": "delta_adjusted",
    "comparisons.design": "Design Rule",
    "comparisons.methods": "METHODS",
    "comparisons.registry_analysis": "analyse_registry",
    "comparisons.side_by_side": "compare_methods",
    "comparisons.site_summary": "site_summary",
    "comparisons.complication_contrasts": "compare_complications",
    "comparisons.complications": "complication_rates",
    "comparisons.complication_definitions": "CLAIMED_BANDS complication_definitions",
    "comparisons.complication_ranking": "complication_ranking",
    "comparisons.occurrences": "COMPLICATION_KINDS",
    "comparisons.monitoring": "complication_chart",
    "comparisons.sites": "complication_sites",
    "comparisons.fractures": "adjacent_fractures",
    "comparisons.incidence": "cumulative_incidence",
    "comparisons.mortality": "mortality",
    "comparisons.recurrent": "recurrent_fractures",
    "comparisons.reconstructed": "reconstruct_survival",
    "comparisons.vertebrae": "vertebra_fractures",
    "dialects": "DIALECTS",
    "errors": "VertebroError LoadError InputError Problem",
    "loaders.collection": "Normalised normalise_all",
    "loaders.load": "check load normalise",
    "loaders.propose": "propose_mapping",
    "loaders.table_file": "read_table",
    "measures": "MEASURES",
    "meta_analysis.check_reported": "check_reported",
    "meta_analysis.bayes": "pool_bayes",
    "meta_analysis.combine_sites": "combine_sites",
    "meta_analysis.counts": "pool_counts",
    "meta_analysis.certainty": "summary_of_findings",
    "meta_analysis.effect_sizes": "effect_sizes",
    "meta_analysis.gosh": "gosh",
    "meta_analysis.influence": "influence",
    "meta_analysis.meta_regression": "meta_regression",
    "meta_analysis.multiverse": "multiverse",
    "meta_analysis.multilevel": "pool_multilevel",
    "meta_analysis.pool": "pool",
    "meta_analysis.reproduce": "reproduce",
    "meta_analysis.reproduce_literature": "reproduce_literature",
    "report.extraction_template": "write_extraction_template",
    "meta_analysis.pool_many": "pool_many",
    "meta_analysis.literature_network": "literature_network LITERATURE_NETWORKS",
    "meta_analysis.network": "pool_network network_components",
    "meta_analysis.network_arms": "network_contrasts",
    "simulate.exports.export": "export_registry",
    "simulate.exports.score": "score_load",
    "simulate.large": "simulate_to",
    "simulate.parameters": "simulation_parameters",
    "simulate.registry": "simulate_registry",
    "spine": "level_distance parse_level parse_levels",
    "tables.cohort": "Cohort",
    "tables.cohort_tables": "TABLES",
    "comparisons.effect_by": "effect_by",
    "comparisons.timing": "timing_claims",
    "comparisons.modifiers": "TIMING_CUTS",
    "tables.event_types": "Instrument",
    "tables.trial": "trial_cohort",
    "results.site_bundle": "read_site_bundle",
    "report.build": "build_report",
    "report.make": "make_report",
    "report.registries": "analyse_registries",
    "report.gather": "claims_of networks_of",
    "report.notebooks": "run_notebooks",
    "report.processed": "write_tables",
    "report.settings": "ReportSettings",
    "report.settings_file": "load_settings",
    "report.settings_place": "find_settings",
    "report.reproduction_page": "write_reproduction",
    "loaders.literature": "Literature load_literature",
    "loaders.literature.claims": "load_claims",
    "meta_analysis.claims": "CLAIM_TESTS examine_claims",
    "meta_analysis.evidence": "select_contrasts select_proportions",
    "meta_analysis.questions": "QUESTIONS Question answer",
    "outcomes": "FAMILIES OUTCOMES Outcome",
    "meta_analysis.funnel": "funnel_data",
    "meta_analysis.selection": "selection_model",
    "meta_analysis.small_study": "small_study_effects",
    "meta_analysis.trim_and_fill": "trim_and_fill",
    "meta_analysis.repeated_pools": "leave_one_out cumulative",
    "meta_analysis.published_rates": "published_rates",
    "meta_analysis.subgroups": "subgroups",
    "vocabulary": "TREATMENTS",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'vertebro_outcomes' has no attribute {name!r}")
    value = getattr(import_module(f"vertebro_outcomes.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
