"""What all sites together show without a model: balance, complications, risk sets."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.results.site_bundle import SiteBundle

COUNTS: Final = ("events_t", "n_t", "events_c", "n_c")
_MOMENTS: Final = ("mean_t", "sd_t", "mean_c", "sd_c")
_RISK: Final = ("at_risk", "events", "deaths")
_WHERE: Final = ["arm", "day_from", "day_to"]


def balance_of(held: Sequence[SiteBundle]) -> pd.DataFrame:
    """`covariate mean_t sd_t mean_c sd_c smd`, as of all patients in one file.

    The spread within and between sites together is that of all patients: a share q has the variance
    q (1 - q), a measurement that with n - 1.
    """
    rows = []
    lines = [
        {**line, "n_t": b.score["n_t"], "n_c": b.score["n_c"]}
        for b in held if b.score and b.balance for line in b.balance
    ]  # fmt: skip
    for name, own in pd.DataFrame(lines, columns=["covariate", "n_t", "n_c", *_MOMENTS]).groupby(
        "covariate", sort=False
    ):
        row: dict[str, object] = {"covariate": name}
        for arm in ("t", "c"):
            n, mean, sd = (own[f"{what}_{arm}"].to_numpy(float) for what in ("n", "mean", "sd"))
            whole = float(n @ mean / n.sum())
            share = np.allclose(sd**2, mean * (1 - mean), rtol=1e-9, atol=1e-12)
            within = n if share else n - 1
            squares = within @ sd**2 + n @ (mean - whole) ** 2
            row[f"mean_{arm}"] = whole
            row[f"sd_{arm}"] = float(np.sqrt(squares / (n.sum() if share else n.sum() - 1)))
        rows.append(row)
    table = pd.DataFrame(rows, columns=["covariate", *_MOMENTS])
    spread = np.sqrt((table["sd_t"] ** 2 + table["sd_c"] ** 2) / 2)
    return table.assign(smd=(table["mean_t"] - table["mean_c"]) / spread.where(spread > 0))


def complications_of(held: Sequence[SiteBundle]) -> pd.DataFrame:
    """`site type events_t n_t events_c n_c`, one line per type and site that shares complications.

    A site that recorded complications but none of a type had none of it; hidden counts are NaN.
    """
    sharing = [b for b in held if b.complications]
    kinds = dict.fromkeys(line["type"] for b in sharing for line in b.complications)
    lines = []
    for bundle in sharing:
        own = {line["type"]: line for line in bundle.complications}
        none = {"events_t": 0, "n_t": bundle.n_t, "events_c": 0, "n_c": bundle.n_c}
        lines += [{"site": bundle.site, **none, **own.get(k, {}), "type": k} for k in kinds]
    table = pd.DataFrame(lines, columns=["site", "type", *COUNTS])
    return table.astype(dict.fromkeys(COUNTS, float))


def rates_of(complications: pd.DataFrame) -> pd.DataFrame:
    """`type events_t n_t events_c n_c sites`: sums over the sites that show both counts."""
    shown = complications.dropna().groupby("type", sort=False)
    found = shown[list(COUNTS)].sum().astype(int).assign(sites=shown.size())
    return found.reset_index()


def risk_sets_of(held: Sequence[SiteBundle]) -> pd.DataFrame:
    """`arm day_from day_to at_risk events deaths`: sums; NaN where a site hides its number."""
    lines = [line for bundle in held for line in bundle.risk_sets]
    table = pd.DataFrame(lines, columns=[*_WHERE, *_RISK])
    table = table.astype(dict.fromkeys(_RISK, float))
    return table.groupby(_WHERE, sort=False)[list(_RISK)].sum(min_count=len(held)).reset_index()
