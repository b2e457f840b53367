"""Registry: deaths, and which vertebrae fracture next."""

import pandas as pd

from vertebro_outcomes.display.disclosure import is_small
from vertebro_outcomes.display.figures.spine_map import draw_spine
from vertebro_outcomes.display.numbers import number, ratio
from vertebro_outcomes.report.blocks import Block, prose
from vertebro_outcomes.report.registry import picture, refusals, registry_section, table
from vertebro_outcomes.results.mortality import Mortality
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis
from vertebro_outcomes.results.vertebra_risk import VertebraRisk
from vertebro_outcomes.tables.column_words import in_words, term_words


def build(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """Deaths by pair, then the spine."""
    blocks: list[Block] = []
    for pair, found in registry.deaths.items():
        most = registry.largest_hidden
        few = isinstance(found, Mortality) and min(found.deaths_t, found.deaths_c) <= most
        if few or min(found.n_t, found.n_c) <= most:
            blocks.append(prose("{arms}: too few to be shown.", arms=" against ".join(pair)))
        else:
            blocks.append(prose("{finding}", finding=in_words(str(found))))
    if registry.vertebrae is not None:
        blocks += _vertebrae(registry, registry.vertebrae)
    return (*blocks, *refusals(registry, ("deaths", "vertebrae")))


def _term(term: str, *, moved: bool) -> str:
    """A term of the model with what it is compared with, unless the reference had to move."""
    name, _, value = term.partition(": ")
    if name == "distance":
        levels = "level" if value == "1" else "levels"
        against = "" if moved else ", against 4 or more"
        return f"{value} {levels} from the nearest treated vertebra{against}"
    if name == "region":
        return value if moved else f"{value}, against T4 to T9"
    return term_words(term)


def _vertebrae(registry: RegistryAnalysis, found: VertebraRisk) -> tuple[Block, ...]:
    """Hazards by distance and region; levels with few fractures are left white on the map."""
    safe = found.incidence.copy()
    safe.loc[
        is_small(safe["fractures"], largest_hidden=registry.largest_hidden),
        ["years", "rate_per_1000_years"],
    ] = 0.0
    shown = found.to_frame()
    moved = any(note.startswith("No vertebra with") for note in found.notes)
    rows = pd.DataFrame(
        {
            "term": [_term(term, moved=moved) for term in shown["term"]],
            "ratio": [
                f"{ratio(row.hazard_ratio)} ({ratio(row.hr_low)} to {ratio(row.hr_high)})"
                for row in shown.itertuples()
            ],
            "se": [number(value, 2) for value in shown["se"]],
        }
    )
    labels = {"term": "Vertebra", "ratio": "Hazard ratio (95% CI)", "se": "SE of its log"}
    return (
        picture(
            draw_spine(safe), registry, name="spine",
            alt="Rates of new fractures by vertebral level and distance to the treated level.",
            caption="New fractures by level and distance to the nearest treated vertebra. White: few "
            "vertebra-years, or a count that is hidden.",
        ),
        table(
            rows, registry, name="vertebrae", caption="Which vertebra fractures next", labels=labels,
            numeric=("ratio", "se"), data=shown,
        ),
    )  # fmt: skip


SECTION = registry_section(77, "Registry: deaths and the spine", build)
