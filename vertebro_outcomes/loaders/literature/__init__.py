"""Loading the published record."""

from vertebro_outcomes.loaders.literature.effects import orient
from vertebro_outcomes.loaders.literature.load import Literature, load_literature
from vertebro_outcomes.loaders.literature.trials import one_report_per_trial

__all__ = ["Literature", "load_literature", "one_report_per_trial", "orient"]
