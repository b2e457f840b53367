"""The structural model in words and numbers, as it lies beside the demonstration data."""

from typing import Final

from vertebro_outcomes.simulate.parameters import EFFECT, NSM_PAIN, PARAMETERS, VISITS
from vertebro_outcomes.simulate.scenarios import SCENARIOS

_WORDS: Final = """# The model behind the SYNTHETIC registries

Every patient is drawn with everything that could happen under each treatment; one treatment is
given, and what a registry would record of it is written down. Truth is computed from the outcomes
under all treatments in a large population, never from a fitted model.

1. **Patients**: age, sex, T score, comorbidity, earlier fractures, etiology, site; index level with
   a thoracolumbar peak, sometimes a neighbour; age of the fracture; pain before treatment.
2. **Treatment**: by lot, or by a multinomial logit of pain, age, Charlson index, fracture age, site,
   calendar year (and, in `unmeasured`, a severity that is not recorded).
3. **Pain**: the mean under NSM, a lasting deviation of the person, a share of the baseline deviation,
   variation between visits, the effect of the procedure (smaller on older fractures), cut to 0-10.
   ODI, RMDQ and EQ-5D are straight lines in pain with their own variation.
4. **Procedure**: cement, leakage per level by cement and cleft, its site, and whether imaging saw it;
   complications within 30 days.
5. **New fractures**: one Weibull hazard per vertebra T4 to L5, by distance to the index level, leakage
   into the disc, T score and earlier fractures.
6. **Death**: Weibull, proportional hazards (crossing ones in `nonproportional`). It competes.
7. **Leaving**: by the last recorded pain, or (in `mnar`) by the pain that is never recorded. A death
   is known while the patient is followed.
"""


def model_page() -> str:
    """The page as Markdown."""
    lines = [_WORDS, "| scenario | meaning |", "| --- | --- |"]
    lines += [f"| {item.name} | {item.meaning} |" for item in SCENARIOS.values()]
    lines += ["", "Mean pain under NSM, and what the procedures change, by day:", ""]
    lines += [
        "| | " + " | ".join(str(day) for day in VISITS) + " |",
        "| --- |" + " --- |" * len(VISITS),
    ]
    for name, values in (("NSM", NSM_PAIN), *EFFECT.items()):
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    lines += [
        "",
        "`cohort_profile[88].value` is column value in line 88 of cohort_profile.csv.",
        "",
        "| parameter | value | unit | source | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {p.name} | {p.value:g} | {p.unit} | {p.source} | {p.meaning} |"
        for p in PARAMETERS.values()
    ]
    return "\n".join(lines) + "\n"
