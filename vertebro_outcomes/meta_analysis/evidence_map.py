"""Which trials there are, what they measured, and what of it can be used."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.question import Question
from vertebro_outcomes.results.answer import Answer

MAPPED_DESIGNS: Final = ("rct_sham", "rct_open", "quasi_rct")
# Column of the map -> outcome families it joins.
MAPPED: Final[dict[str, tuple[str, ...]]] = {
    "pain": ("pain",),
    "disability": ("rmdq", "odi"),
    "quality_of_life": ("eq5d", "physical_component", "qualeffo", "sf6d", "sf36_total"),
    "new_fracture": ("new_vertebral_fracture", "adjacent_fracture"),
    "leakage": ("cement_leakage",),
    "death": ("death",),
    "harms": ("serious_adverse_event", "complication_any", "adverse_event"),
}
_SHEETS: Final = ("arm_continuous", "arm_binary", "contrasts")


def evidence_map(
    literature: Literature,
    answers: Sequence[tuple[Question, Answer]],
    *,
    family_of: dict[str, str],
) -> pd.DataFrame:
    """One row per trial: what is printed about it, and what of that entered an analysis.

    Parameters
    ----------
    literature
        As `load_literature()` gives.
    answers
        Questions with their answers.
    family_of
        Outcome name -> family.

    Returns
    -------
    DataFrame
        `trial_id label design arms n_total` and per column of `MAPPED` the word `used` (in an
        analysis), `printed` (some figure, none usable) or an empty text (nothing found).
    """
    studies = literature.studies
    main = studies[
        studies["design"].isin(MAPPED_DESIGNS) & (studies["study_id"] == studies["trial_id"])
    ]
    printed = _printed(literature, family_of)
    used = {
        (str(trial), question.outcome_family)
        for question, found in answers
        for trial in found.entered["trial_id"]
    }
    table = main[["trial_id", "label", "year", "design", "arms", "n_total"]].reset_index(drop=True)
    for column, families in MAPPED.items():
        table[column] = [
            "used"
            if any((trial, family) in used for family in families)
            else "printed"
            if any((trial, family) in printed for family in families)
            else ""
            for trial in table["trial_id"]
        ]
    filled = (table[list(MAPPED)] != "").sum(axis=1)
    rank = np.lexsort((table["label"], -filled, table["design"].map(MAPPED_DESIGNS.index)))
    return table.iloc[rank].reset_index(drop=True)


def _printed(literature: Literature, family_of: dict[str, str]) -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for name in _SHEETS:
        sheet = literature.tables[name]
        families = sheet["outcome"].map(family_of)
        pairs |= set(zip(sheet["trial_id"].astype(str), families.astype(str), strict=True))
    return pairs
