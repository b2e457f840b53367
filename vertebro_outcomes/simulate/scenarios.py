"""What each scenario switches on or off in the structural model."""

from dataclasses import dataclass
from typing import Final, Literal

ScenarioName = Literal[
    "null",
    "randomised",
    "confounded",
    "unmeasured",
    "immortal_time",
    "rare_events",
    "nonproportional",
    "mnar",
]


@dataclass(frozen=True)
class Scenario:
    """`effect` scales all treatment effects, `risk` the probabilities of complications."""

    name: str
    meaning: str
    effect: float = 1.0
    death_effect: bool = True
    by_indication: bool = False
    hidden: bool = False
    from_presentation: bool = False
    nonproportional: bool = False
    dropout: Literal["random", "observed", "unobserved"] = "random"
    risk: float = 1.0


SCENARIOS: Final[dict[str, Scenario]] = {
    item.name: item
    for item in (
        Scenario("null", "treatment drawn by lot, no treatment has any effect", effect=0.0),
        Scenario("randomised", "treatment drawn by lot"),
        Scenario(
            "confounded",
            "treatment depends on recorded pain, age, comorbidity, fracture age, site and year",
            by_indication=True,
            dropout="observed",
        ),
        Scenario(
            "unmeasured",
            "as confounded, and on a severity that is not recorded",
            by_indication=True,
            hidden=True,
            dropout="observed",
        ),
        Scenario(
            "immortal_time",
            "day 0 is presentation; who dies before the procedure is recorded as NSM; no effect "
            "on death",
            death_effect=False,
            from_presentation=True,
        ),
        Scenario(
            "rare_events",
            "as confounded, complications at a tenth of their rates",
            by_indication=True,
            dropout="observed",
            risk=0.1,
        ),
        Scenario(
            "nonproportional",
            "treatment drawn by lot; protection from death in the first 90 days, harm afterwards",
            nonproportional=True,
        ),
        Scenario(
            "mnar",
            "treatment drawn by lot; patients drop out because of pain that is never recorded",
            dropout="unobserved",
        ),
    )
}
