"""Named, dated defaults of the programs that reviews are made with.

The same studies give different intervals, I² and even point estimates in different software, and
defaults change between versions. A dialect fixes every such choice, so that a published number can
be recomputed the way its program did it. Explicit arguments win over a dialect.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Dialect:
    """The choices one program makes when nothing is said.

    smd: "exact" Hedges' g with the gamma-function correction and variance 1/n1 + 1/n2 + g²/(2N);
    "revman" 1 - 3/(4N - 9) and N/(n1 n2) + g²/(2(N - 3.94)).
    add, add_to: constant for cells of 2x2 tables, and which studies get it.
    drop_double_zero: leave out studies without (or with only) events, for odds and risk ratios.
    i2: "typical_variance" tau²/(tau² + s²) with Higgins and Thompson's s²; "q" (Q - df)/Q.
    prediction: quantile of the prediction interval; "z", "t_k1" (k - 1), "t_k2" (k - 2), "none".
    None for `prediction` follows the interval: z with "wald", t on k - 1 with "hksj".
    """

    name: str
    software: str
    since: str
    source: str
    smd: Literal["exact", "revman"]
    add: float
    add_to: Literal["only_zero", "if_any_zero", "all", "none"]
    drop_double_zero: bool
    tau2_method: Literal["DL", "REML"]
    ci: Literal["wald", "hksj"]
    prediction: Literal["z", "t_k1", "t_k2", "none"] | None
    i2: Literal["typical_variance", "q"]

    def sentence(self) -> str:
        """The dialect in one sentence, for a methods section."""
        return (
            f"Defaults of {self.software} (since {self.since}): tau² by {self.tau2_method}, "
            f"{_CI_WORDS[self.ci]} interval, {_PREDICTION_WORDS[self.prediction]}, "
            f"I² from {'tau²' if self.i2 == 'typical_variance' else 'Q'}, {self.add:g} added to "
            f"the cells of {_ADD_WORDS[self.add_to]}."
        )


_CI_WORDS = {"wald": "Wald-type", "hksj": "Hartung-Knapp-Sidik-Jonkman"}
_PREDICTION_WORDS = {
    None: "prediction interval with the quantile of the confidence interval",
    "z": "prediction interval with normal quantiles",
    "t_k1": "prediction interval with t on k - 1 degrees of freedom",
    "t_k2": "prediction interval with t on k - 2 degrees of freedom",
    "none": "no prediction interval",
}
_ADD_WORDS = {
    "only_zero": "studies with a zero cell",
    "if_any_zero": "all studies if any has a zero cell",
    "all": "all studies",
    "none": "no study",
}

_COCHRANE_HANDBOOK = "Cochrane Handbook for Systematic Reviews of Interventions, chapter 10"
_META_NEWS = "NEWS of the R package meta, entries 5.0-0, 5.1-0 and 8.0-0"

DIALECTS: Final[dict[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="metafor",
            software="R package metafor",
            since="2009",
            source="Viechtbauer (2010), J Stat Softw 36(3):1-48, doi:10.18637/jss.v036.i03",
            smd="exact",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=False,
            tau2_method="REML",
            ci="wald",
            prediction=None,
            i2="typical_variance",
        ),
        Dialect(
            name="revman5",
            software="RevMan 5 and RevMan Web before 2025",
            since="2008",
            source="Deeks and Higgins, Statistical algorithms in Review Manager 5 (2010)",
            smd="revman",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=True,
            tau2_method="DL",
            ci="wald",
            prediction="none",
            i2="q",
        ),
        Dialect(
            name="revman2025",
            software="RevMan Web",
            since="January 2025",
            source="Cochrane Methods, Random-effects methods for intervention reviews (2025); "
            + _COCHRANE_HANDBOOK,
            smd="revman",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=True,
            tau2_method="REML",
            ci="hksj",
            prediction="t_k1",
            i2="typical_variance",
        ),
        Dialect(
            name="meta4",
            software="R package meta, version 4",
            since="2015",
            source=_META_NEWS,
            smd="revman",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=True,
            tau2_method="DL",
            ci="wald",
            prediction="t_k2",
            i2="q",
        ),
        Dialect(
            name="meta7",
            software="R package meta, versions 5.1 to 7",
            since="November 2021",
            source=_META_NEWS,
            smd="exact",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=True,
            tau2_method="REML",
            ci="wald",
            prediction="t_k2",
            i2="q",
        ),
        Dialect(
            name="meta8",
            software="R package meta, version 8",
            since="October 2024",
            source=_META_NEWS,
            smd="exact",
            add=0.5,
            add_to="only_zero",
            drop_double_zero=True,
            tau2_method="REML",
            ci="wald",
            prediction="t_k1",
            i2="q",
        ),
    )
}
