"""A network meta-analysis with everything a reader needs to judge it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.network import contrast_forest, network_graph
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.designs import decompose_q, single_designs
from vertebro_outcomes.estimators.network.fit import NetworkFit
from vertebro_outcomes.estimators.network.independent_contrasts import IndependentContrasts
from vertebro_outcomes.estimators.network.ranking import p_scores, rank_probabilities
from vertebro_outcomes.estimators.network.splitting import Pairs, SplitEvidence, split_evidence
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results import network_tables as tables
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Model = Literal["random", "common"]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkEffect:
    """All treatments of a network against each other, on the analysis scale (log for ratios).

    Matrices are row minus (or over) column in the order of `treatments`. `reference` only decides
    what `to_frame`, `str` and the forest plot compare with. `k` counts studies, `n_pairs` contrasts.
    `tau2` is one between-study variance for every comparison; with method "EE" it is 0 and both
    models are the same. `designs` are the sets of treatments that studies compare.
    """

    treatments: tuple[str, ...]
    reference: str
    measure: str
    method: str
    level: float
    k: int
    n_pairs: int
    tau2: float
    q: float
    q_df: int
    common: NetworkFit
    random: NetworkFit
    pairs: Pairs
    rows: IndependentContrasts
    design: Ints
    designs: tuple[str, ...]
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def i2_pct(self) -> float:
        """Share of Q beyond its degrees of freedom, (Q - df)/Q, in percent; NaN if df is 0."""
        if self.q_df == 0:
            return float("nan")
        return 100.0 * max(0.0, (self.q - self.q_df) / self.q) if self.q > 0 else 0.0

    @property
    def q_p_value(self) -> float:
        """Upper chi-square tail of Q; NaN without degrees of freedom."""
        return tables.chi_square_p(self.q, self.q_df)

    @property
    def comparisons(self) -> pd.DataFrame:
        """Direct comparisons: `treat_t treat_c k`, the earlier treatment first."""
        at = tables.upper_pairs(len(self.treatments))
        k = self._split("common").studies[at]
        names = np.array(self.treatments, dtype=object)
        frame = pd.DataFrame({"treat_t": names[at[0]], "treat_c": names[at[1]], "k": k})
        return frame[frame["k"] > 0].reset_index(drop=True)

    def estimate(self, model: Model = "random") -> pd.DataFrame:
        """Effects of all pairs, row minus column, analysis scale."""
        return self._square(self._fit(model).estimate)

    def se(self, model: Model = "random") -> pd.DataFrame:
        """Standard errors of `estimate`."""
        return self._square(self._fit(model).se)

    def ci_low(self, model: Model = "random") -> pd.DataFrame:
        """Lower limits of `estimate` at the result's level (normal quantile)."""
        fit = self._fit(model)
        return self._square(fit.estimate - self._z * fit.se)

    def ci_high(self, model: Model = "random") -> pd.DataFrame:
        """Upper limits of `estimate`."""
        fit = self._fit(model)
        return self._square(fit.estimate + self._z * fit.se)

    def p_value(self, model: Model = "random") -> pd.DataFrame:
        """Two-sided p-values of `estimate`; NaN on the diagonal."""
        fit = self._fit(model)
        with np.errstate(invalid="ignore"):
            return self._square(tables.two_sided_p(fit.estimate / fit.se))

    def p_scores(self, small_is_good: bool = True, *, model: Model = "random") -> pd.Series:
        """P-score (0 to 1) of each treatment: mean certainty of being better than another one."""
        scores = p_scores(self._fit(model), small_is_good=small_is_good)
        return pd.Series(scores, index=self._index("treatment"), name="p_score")

    def ranks(
        self,
        seed: int = 1,
        *,
        small_is_good: bool = True,
        model: Model = "random",
        draws: int = 10_000,
    ) -> pd.DataFrame:
        """Ranks over draws from the estimates' normal distribution: `mean_rank sucra p_best ...`."""
        if draws < 1:
            raise refuse_argument("NetworkEffect", "draws", draws, "1 or more")
        found = rank_probabilities(
            self._fit(model), small_is_good=small_is_good, seed=seed, draws=draws
        )
        return tables.rank_table(self.treatments, found)

    def league_table(
        self, model: Model = "random", *, upper: Literal["network", "direct"] = "network"
    ) -> pd.DataFrame:
        """Text, row versus column, reader's scale; `upper="direct"`: direct estimates above."""
        fit, split = self._fit(model), self._split(model)
        kind = self.measure
        below = tables.reader_scale(fit.estimate, self._z * fit.se, measure=kind)
        direct = tables.reader_scale(split.direct, self._z * split.direct_se, measure=kind)
        tables.check_word("upper", upper, "network", "direct")
        blocks = (below, below if upper == "network" else direct)
        return tables.league(self.treatments, blocks, measure=kind)

    def inconsistency(self) -> pd.DataFrame:
        """Q total, within designs, between designs, and the design-by-treatment interaction test.

        Indexed by `source`; columns `q q_df q_p_value tau2`. The row "between designs, random
        effects" weighs studies with tau² as estimated (generalised DL) within designs; the others
        are of the common-effect model. Krahn, Binder and König (2013), doi:10.1186/1471-2288-13-35.
        """
        return tables.inconsistency_table(decompose_q(self.rows, self.design))

    def inconsistency_by_design(self) -> pd.DataFrame:
        """Per design: Q among its studies, and Q between designs after detaching it."""
        return tables.design_table(single_designs(self.rows, self.design), self.designs)

    def node_split(self, model: Model = "random") -> pd.DataFrame:
        """Direct against indirect evidence for every pair, by back-calculation.

        Pairs with the reference are treatment minus reference, others in the order of treatments.
        NaN where one of the two is absent. Dias et al. (2010), doi:10.1002/sim.3767.
        """
        return tables.split_table(
            self.treatments, self._fit(model), self._split(model), reference=self._anchor
        )

    def contributions(
        self, model: Model = "random", *, method: tables.StreamMethod = "shortest_path"
    ) -> pd.DataFrame:
        """Proportion each direct comparison (column) contributes to each network estimate (row).

        Hat-matrix flows taken apart into streams: along shortest paths (Papakonstantinou et al.
        2018, doi:10.12688/f1000research.14770.3) or by a random walk (Davies et al. 2022,
        doi:10.1002/sim.9346), which does not depend on the order of treatments.
        """
        compared = self._split("common").studies
        return tables.contribution_table(self.treatments, self._fit(model), compared, method=method)

    def to_frame(
        self,
        scale: Scale = "analysis",
        *,
        model: Model = "random",
        pairs: Literal["reference", "all"] = "reference",
    ) -> pd.DataFrame:
        """One row per treatment against the reference, or per pair; se is NaN on a ratio scale."""
        if tables.check_word("pairs", pairs, "reference", "all") == "all":
            at = tables.pairs_against(len(self.treatments), self._anchor)
        else:
            others = np.delete(np.arange(len(self.treatments)), self._anchor)
            at = others, np.full(len(others), self._anchor)
        fit = self._fit(model)
        estimate, se = fit.estimate[at], fit.se[at]
        tables.check_word("scale", scale, "analysis", "natural")
        read = MEASURES[self.measure].to_natural if scale == "natural" else np.asarray
        same = scale == "analysis" or MEASURES[self.measure].scale == "identity"
        names = np.array(self.treatments, dtype=object)
        return pd.DataFrame(
            {
                "treatment": names[at[0]],
                "comparator": names[at[1]],
                "measure": self.measure,
                "scale": scale,
                "model": model,
                "k_direct": self._split(model).studies[at],
                "estimate": read(estimate),
                "se": se if same else np.nan,
                "ci_low": read(estimate - self._z * se),
                "ci_high": read(estimate + self._z * se),
                "statistic": estimate / se,
                "p_value": tables.two_sided_p(estimate / se),
            }
        )

    def plot(
        self, kind: Literal["forest", "graph"] = "forest", *, ax: "Axes | None" = None
    ) -> "Axes":
        """Forest plot against the reference, or the graph of direct comparisons."""
        if tables.check_word("kind", kind, "forest", "graph") == "graph":
            return network_graph(self.treatments, self.comparisons, ax=ax)
        frame = self.to_frame("natural")
        return contrast_forest(frame, measure=self.measure, reference=self.reference, ax=ax)

    def __str__(self) -> str:
        model = "common effect" if self.method == "EE" else f"random effects ({self.method})"
        kind = MEASURES[self.measure]
        said = [
            f"{row['treatment']} "
            + numbers.estimate_with_interval(
                row["estimate"], (row["ci_low"], row["ci_high"]), measure=self.measure
            )
            for row in self.to_frame("natural").to_dict("records")
        ]
        spread = numbers.heterogeneity(
            tau2=self.tau2,
            i2_pct=self.i2_pct,
            q=self.q if self.q_df else float("nan"),
            q_df=self.q_df,
            q_p_value=self.q_p_value,
        )
        studies = f"{self.k} {'study' if self.k == 1 else 'studies'}"
        parts = [
            f"Network of {len(self.treatments)} treatments, {studies}, {model}",
            f"{kind.label} against {self.reference} ({100 * self.level:g}% interval): "
            + ", ".join(said),
            spread,
            f"{len(self.excluded)} left out" if self.excluded else "",
        ]
        return "; ".join(part for part in parts if part)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(html_table(self.league_table().reset_index(names="versus"), caption=str(self)))

    @property
    def _anchor(self) -> int:
        return self.treatments.index(self.reference)

    @property
    def _z(self) -> float:
        return float(-special.ndtri((1.0 - self.level) / 2.0))

    def _fit(self, model: Model) -> NetworkFit:
        return (
            self.random
            if tables.check_word("model", model, "random", "common") == "random"
            else self.common
        )

    def _split(self, model: Model) -> SplitEvidence:
        return self._splits[tables.check_word("model", model, "random", "common")]

    @cached_property
    def _splits(self) -> dict[str, SplitEvidence]:
        return {
            "common": split_evidence(self.pairs, self.common, tau2=0.0),
            "random": split_evidence(self.pairs, self.random, tau2=self.tau2),
        }

    def _index(self, name: str | None = None) -> pd.Index:
        return pd.Index(self.treatments, name=name)

    def _square(self, values: Floats) -> pd.DataFrame:
        return pd.DataFrame(values, index=self._index(), columns=self._index())
