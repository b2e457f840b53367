"""How many have a day of death, less those dead within one year, must not be a small number in print."""

from types import SimpleNamespace

import pandas as pd
import pytest

from vertebro_outcomes.report.sections.registry_overview import _tells_late_deaths


@pytest.mark.parametrize(("known", "told"), [(21, True), (13, False), (23, True), (24, False)])
def test_days_of_death_beside_deaths_within_a_year(known, told):
    registry = SimpleNamespace(
        quality=pd.DataFrame(
            {
                "table": ["patients", "patients"],
                "column": ["sex", "death_day"],
                "n_present": [70, known],
            }
        ),
        coverage=pd.DataFrame({"measure": ["patients dead within one year"], "n": [13]}),
        largest_hidden=10,
    )
    assert _tells_late_deaths(registry).tolist() == [False, told]
    registry.coverage = registry.coverage.iloc[:0]
    assert not _tells_late_deaths(registry).any()
