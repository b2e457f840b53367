"""What the sheets call an arm, and which treatment of the vocabulary it is."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from vertebro_outcomes.vocabulary import TREATMENTS

ArmKind = Literal["treatment", "technique", "both arms", "natural history", "other group", "factor"]

AUGMENTATION_WORDS: Final = ("VP+KP",)  # augmentation, type not split: VA in the vocabulary
OTHER_GROUPS: Final[dict[str, ArmKind]] = {
    "ALL": "both arms",
    "PLACEBO": "natural history",
    "ALENDRONATE": "natural history",
    "ELIGIBLE_NOT_RANDOMISED": "other group",
    "mixed (75.0% NSM)": "other group",
    "LORDOPLASTY": "technique",
}
# A technique or a part of an arm: a treatment, an underscore, a word.
_TECHNIQUE: Final = re.compile(rf"({'|'.join(sorted(TREATMENTS, key=len, reverse=True))})_\w+")
FACTORS: Final = frozenset(
    """ASA_class_4|absent|baseline_number_of_VCF|distance_1_segment|distance_2_segments|first_MOF
    |further vertebrae|high_BMD|inpatient_before_procedure|leakage_azygos_vein|low BMD
    |lumbar_fracture|no_leakage_azygos_vein|none|nongeneral_anaesthesia|obesity|older_age|one
    |outdoor_activity|over_2_weeks_from_fracture|payer_medicaid|payer_medicare|payer_private
    |per fracture|period_2005_2009|period_2010_2014|population|prevalent_fracture_1_or_more
    |race_asian_pacific|race_black|race_hispanic|race_other_unknown|race_white|region_northeast
    |region_west|sex_female|smoking|thoracic|thoracolumbar_fracture|vertebrae_3_or_more
    |within 2 weeks|younger""".replace("\n    ", "").split("|")
)
_ALLOWED_ARM: Final = (
    f"{', '.join(TREATMENTS)}, {', '.join(AUGMENTATION_WORDS)}, {', '.join(OTHER_GROUPS)}, "
    "or a technique like VP_bilateral"
)


@dataclass(frozen=True)
class Arm:
    """`treatment` is a word of the vocabulary, or None where the arm is none of them as such."""

    treatment: str | None
    kind: ArmKind


def read_arm(printed: str) -> Arm | None:
    """The arm behind a printed word; None when the word is unknown.

    Techniques, parts of arms and both arms together are kept but are no treatment arm of a trial.
    """
    if printed in TREATMENTS:
        return Arm(printed, "treatment")
    if printed in AUGMENTATION_WORDS:
        return Arm("VA", "treatment")
    if printed in OTHER_GROUPS:
        return Arm(None, OTHER_GROUPS[printed])
    return Arm(None, "technique") if _TECHNIQUE.fullmatch(printed) else None


def read_contrast_arm(printed: str) -> Arm | None:
    """As `read_arm`, with the risk factors that stand in the arm columns of contrasts."""
    return Arm(None, "factor") if printed in FACTORS else read_arm(printed)


def arm_problem(printed: str) -> str:
    """What is allowed instead of an unknown arm; empty when the arm is known."""
    return _ALLOWED_ARM if read_arm(printed) is None else ""


def contrast_arm_problems(treatment: str, comparator: str) -> list[tuple[str, str, str]]:
    """Column, word and what is allowed, for each unknown side of a contrast.

    A factor stands against a factor, never against a treatment.
    """
    sides = {"treatment": treatment, "comparator": comparator}
    arms = {column: read_contrast_arm(word) for column, word in sides.items()}
    unknown = [column for column, arm in arms.items() if arm is None]
    kinds = {arm.kind == "factor" for arm in arms.values() if arm is not None}
    if not unknown and len(kinds) == 2:
        unknown = [
            column for column, arm in arms.items() if arm is not None and arm.kind == "factor"
        ]
    return [
        (column, sides[column], f"{_ALLOWED_ARM}; or risk factors on both sides")
        for column in unknown
    ]


def printed_arms(text: str) -> dict[str, int]:
    """Patients per arm in the column `arms`: `VP:101|NSM:101`; arms named twice are left out."""
    pairs = [re.fullmatch(r"([^:|]+):(\d+)", part) for part in (text or "").split("|")]
    named = [(pair.group(1), int(pair.group(2))) for pair in pairs if pair]
    names = [name for name, _ in named]
    return {name: n for name, n in named if names.count(name) == 1}
