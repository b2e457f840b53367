"""Every method that compares two groups of patients, by name."""

from typing import Final

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.estimators.method import Method

METHODS: Final[dict[str, Method]] = {
    method.name: method
    for method in declarations("vertebro_outcomes.estimators.contrasts", "METHOD")
}
