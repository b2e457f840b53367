"""Tables of studies no estimator likes, and every public call that takes one."""

from contextlib import suppress

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from tests.reliability.stress.by_signature import calls_by_signature


def effects_table(effects, variances, **more):
    k = len(effects)
    base = {
        "study": [f"S{i}" for i in range(k)],
        "effect": effects,
        "variance": variances,
        "year": [2000 + i for i in range(k)],
        "group": [f"g{i % 2}" for i in range(k)],
        "n_t": [50] * k,
        "n_c": [50] * k,
        "events_t": [5] * k,
        "events_c": [6] * k,
    }
    return pd.DataFrame({**base, **more})


SPREAD = [-0.9, -0.3, -0.5, 0.1, -0.7]
EFFECTS = {
    "one study": effects_table([0.4], [0.1]),
    "two studies": effects_table([0.4, -0.2], [0.1, 0.2]),
    "three studies": effects_table([0.4, -0.2, 0.1], [0.1, 0.2, 0.1]),
    "no study": effects_table([], []),
    "all missing": effects_table([np.nan] * 3, [np.nan] * 3),
    "all but one missing": effects_table([0.3, np.nan, np.nan], [0.1, 0.1, np.nan]),
    "the same effect": effects_table([0.5] * 5, [0.1, 0.2, 0.3, 0.1, 0.2]),
    "the same study": effects_table([0.5] * 5, [0.1] * 5),
    "all zero": effects_table([0.0] * 5, [0.1] * 5),
    "the same variance": effects_table(SPREAD, [0.1] * 5),
    "tiny variances": effects_table(SPREAD, [1e-12] * 5),
    "huge variances": effects_table(SPREAD, [1e12] * 5),
    "one tiny variance": effects_table(SPREAD, [1e-12, 0.1, 0.2, 0.1, 0.3]),
    "one huge variance": effects_table(SPREAD, [1e12, 0.1, 0.2, 0.1, 0.3]),
    "variances 24 orders apart": effects_table(SPREAD, [1e-12, 1e-6, 1.0, 1e6, 1e12]),
    "variances at the end of doubles": effects_table(SPREAD, [1e-300, 1e-308, 1.0, 1e300, 1e308]),
    "at the limits": effects_table([1e50, -1e50, 1.0, 0.0, 1e50], [1e-50, 1e-50, 1.0, 1e50, 1e50]),
    "a variance of zero": effects_table(SPREAD, [0.0, 0.1, 0.2, 0.1, 0.3]),
    "a negative variance": effects_table(SPREAD, [-0.1, 0.1, 0.2, 0.1, 0.3]),
    "an infinite variance": effects_table(SPREAD, [np.inf, 0.1, 0.2, 0.1, 0.3]),
    "an infinite effect": effects_table([np.inf, 0.1, 0.2, 0.1, 0.3], [0.1] * 5),
    "huge effects": effects_table([1e150, -1e150, 1e150, 0.0, 1.0], [0.1] * 5),
    "effects far beyond their errors": effects_table([1e6, -1e6, 2e6, 0.0, 1.0], [1e-12] * 5),
    "tiny effects": effects_table([1e-200, -1e-200, 1e-180, 0.0, 1e-190], [0.1] * 5),
    "one far out": effects_table([0.1, 0.2, 0.1, 0.15, 1e6], [0.1] * 5),
    "one group": effects_table(SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], group=["a"] * 5),
    "every study its own group": effects_table(
        SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], group=list("abcde")
    ),
    "no group known": effects_table(SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], group=[None] * 5),
    "one year": effects_table(SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], year=[2000] * 5),
    "a year missing": effects_table(
        SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], year=[2000, np.nan, 2001, 2002, 2003]
    ),
    "no year known": effects_table(SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], year=[np.nan] * 5),
    "a year far out": effects_table(SPREAD, [0.1, 0.2, 0.1, 0.2, 0.3], year=[0, 0, 0, 0, 1e15]),
    "equal patients": effects_table(
        SPREAD,
        [0.1, 0.2, 0.1, 0.2, 0.3],
        n_t=[1] * 5,
        n_c=[1] * 5,
        events_t=[0] * 5,
        events_c=[1] * 5,
    ),
    "forty studies alike": effects_table([0.1] * 40, [0.05] * 40),
}


def _counts(events_t, n_t, events_c, n_c):
    k = len(events_t)
    return pd.DataFrame(
        {
            "study": [f"S{i}" for i in range(k)],
            "events_t": events_t,
            "n_t": n_t,
            "events_c": events_c,
            "n_c": n_c,
            "time_t": [float(n) for n in n_t],
            "time_c": [float(n) for n in n_c],
            "events": events_t,
            "n": n_t,
            "year": [2000 + i for i in range(k)],
            "group": [f"g{i % 2}" for i in range(k)],
        }
    )


COUNTS = {
    "no study": _counts([], [], [], []),
    "one study": _counts([3], [20], [5], [21]),
    "one study without events": _counts([0], [20], [0], [21]),
    "one patient per arm": _counts([1, 0, 0], [1, 1, 1], [0, 1, 0], [1, 1, 1]),
    "no event anywhere": _counts([0] * 4, [20, 30, 40, 50], [0] * 4, [21, 31, 41, 51]),
    "events in all": _counts([20, 30, 40], [20, 30, 40], [21, 31, 41], [21, 31, 41]),
    "none against all": _counts([0] * 3, [20, 30, 40], [21, 31, 41], [21, 31, 41]),
    "no event in one arm": _counts([0] * 4, [20, 30, 40, 50], [3, 4, 5, 6], [21, 31, 41, 51]),
    "all of one arm": _counts([20, 30, 40], [20, 30, 40], [3, 4, 5], [21, 31, 41]),
    "one event in all studies": _counts([1, 0, 0], [20, 30, 40], [0, 0, 0], [21, 31, 41]),
    "half without events": _counts([0, 0, 3, 5], [20] * 4, [0, 0, 4, 1], [20] * 4),
    "the same study": _counts([3] * 5, [20] * 5, [4] * 5, [20] * 5),
    "no difference": _counts([4] * 5, [20] * 5, [4] * 5, [20] * 5),
    "huge counts": _counts([10**8, 2 * 10**8], [10**9] * 2, [10**8, 10**8], [10**9] * 2),
    "one huge study": _counts([10**8, 1, 2], [10**9, 10, 12], [10**8 + 5, 0, 3], [10**9, 10, 12]),
    "arms of unequal size": _counts([1, 0], [1, 1], [5, 9], [10**6, 10**6]),
    "an empty arm": _counts([0, 3], [0, 20], [2, 4], [20, 20]),
    "missing counts": _counts([np.nan, 3, 4], [20, 20, 20], [2, np.nan, 3], [20, 20, 20]),
}


def _means(mean_t, sd_t, n_t, mean_c, sd_c, n_c):
    k = len(mean_t)
    return pd.DataFrame(
        {
            "study": [f"S{i}" for i in range(k)],
            "mean_t": mean_t,
            "sd_t": sd_t,
            "n_t": n_t,
            "mean_c": mean_c,
            "sd_c": sd_c,
            "n_c": n_c,
            "mean": mean_t,
            "sd": sd_t,
            "n": n_t,
        }
    )


MEANS = {
    "no study": _means([], [], [], [], [], []),
    "one patient per arm": _means([3.0], [1.0], [1], [4.0], [1.0], [1]),
    "two patients per arm": _means([3.0, 2.0], [1.0, 0.5], [2, 2], [4.0, 1.0], [1.0, 0.1], [2, 2]),
    "no spread": _means([3.0, 2.0], [0.0, 0.0], [20, 20], [4.0, 3.0], [0.0, 0.0], [20, 20]),
    "no spread in one arm": _means(
        [3.0, 2.0], [0.0, 1.0], [20, 20], [4.0, 3.0], [1.0, 1.0], [20, 20]
    ),
    "means of zero": _means([0.0, 0.0], [1.0, 1.0], [20, 20], [0.0, 0.0], [1.0, 1.0], [20, 20]),
    "means of opposite sign": _means(
        [-3.0, 2.0], [1.0, 1.0], [20, 20], [4.0, -3.0], [1.0, 1.0], [20, 20]
    ),
    "tiny spread": _means([3.0, 2.0], [1e-12] * 2, [20, 20], [4.0, 3.0], [1e-12] * 2, [20, 20]),
    "huge spread": _means([3.0, 2.0], [1e12] * 2, [20, 20], [4.0, 3.0], [1e12] * 2, [20, 20]),
    "spread at the end of doubles": _means(
        [3.0, 2.0], [1e200] * 2, [20, 20], [4.0, 3.0], [1e-200] * 2, [20, 20]
    ),
    "huge arms": _means([3.0, 2.0], [1.0, 1.0], [10**9] * 2, [4.0, 3.0], [1.0, 1.0], [10**9] * 2),
    "a negative spread": _means(
        [3.0, 2.0], [-1.0, 1.0], [20, 20], [4.0, 3.0], [1.0, 1.0], [20, 20]
    ),
}


def _network(rows):
    return pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])


_TRIANGLE = [("A", "VP", "NSM"), ("B", "KP", "NSM"), ("C", "KP", "VP")]
NETWORKS = {
    "no study": _network([]),
    "one study": _network([("A", "VP", "NSM", 0.3, 0.2)]),
    "two parts": _network([("A", "VP", "NSM", 0.3, 0.2), ("B", "KP", "SHAM", 0.3, 0.2)]),
    "a study against itself": _network([("A", "VP", "VP", 0.0, 0.2), ("B", "KP", "VP", 0.3, 0.2)]),
    "a star": _network(
        [("A", "VP", "NSM", 0.3, 0.2), ("B", "KP", "NSM", 0.1, 0.2), ("C", "SHAM", "NSM", 0.2, 0.3)]
    ),
    "identical": _network([(*s, 0.0, 0.2) for s in _TRIANGLE]),
    "tiny errors": _network([(*s, 0.1 * i, 1e-6) for i, s in enumerate(_TRIANGLE)]),
    "huge errors": _network([(*s, 0.1 * i, 1e6) for i, s in enumerate(_TRIANGLE)]),
    "errors 12 orders apart": _network(
        [(*s, 0.1 * i, 10.0 ** (6 * (i - 1))) for i, s in enumerate(_TRIANGLE)]
    ),
    "an error of zero": _network([(*s, 0.1, 0.2 * i) for i, s in enumerate(_TRIANGLE)]),
    "a missing effect": _network(
        [(*s, np.nan if i else 0.1, 0.2) for i, s in enumerate(_TRIANGLE)]
    ),
    "an infinite effect": _network([(*s, np.inf, 0.2) for s in _TRIANGLE]),
    "a loop that contradicts itself": _network(
        [(*s, 1e3 * (-1) ** i, 0.2) for i, s in enumerate(_TRIANGLE)]
    ),
    "three arms in which no third error can be": _network(
        [("A", "VP", "NSM", 0.1, 0.1), ("A", "KP", "NSM", 0.2, 0.1), ("A", "KP", "VP", 0.1, 5.0)]
    ),
    "three arms that do not close": _network(
        [("A", "VP", "NSM", 0.1, 0.2), ("A", "KP", "NSM", 0.2, 0.2), ("A", "KP", "VP", 9.0, 0.2)]
    ),
}

TAU2 = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
OF_EFFECTS = {
    "pool": {
        **{
            f"{m} {ci}": lambda es, m=m, ci=ci: vo.pool(es, method=m, ci=ci)
            for m in TAU2
            for ci in ("wald", "hksj", "hksj_adhoc")
        },
        **{name: lambda es, name=name: vo.pool(es, dialect=name) for name in vo.DIALECTS},
    },
    "pool_many": {
        m: lambda es, m=m: vo.pool_many([es["effect"]], [es["variance"]], method=m) for m in TAU2
    },
    "pool_bayes": {
        "half normal": vo.pool_bayes,
        "half cauchy, flat": lambda es: vo.pool_bayes(
            es, tau_prior=("half_cauchy", 1.0), mean_prior="flat"
        ),
        "shortest": lambda es: vo.pool_bayes(es, interval="shortest"),
    },
    "pool_multilevel": {
        **{
            f"{m} {ci}": lambda es, m=m, ci=ci: vo.pool_multilevel(
                es, cluster="group", method=m, ci=ci
            )
            for m in ("REML", "ML")
            for ci in ("wald", "t")
        },
        "CR2": lambda es: vo.pool_multilevel(es, cluster="group", robust="CR2"),
        "moderated": lambda es: vo.pool_multilevel(es, "~ year", cluster="group", rho=0.5),
    },
    "meta_regression": {
        **{f"year {m}": lambda es, m=m: vo.meta_regression(es, "~ year", method=m) for m in TAU2},
        "hksj": lambda es: vo.meta_regression(es, "~ year", ci="hksj"),
        "collinear": lambda es: vo.meta_regression(es, "~ year + I(2 * year)"),
        "more terms than studies": lambda es: vo.meta_regression(
            es, "~ year + group + n_t + events_t + variance"
        ),
        "no intercept": lambda es: vo.meta_regression(es, "~ 0 + group"),
        "CR2": lambda es: vo.meta_regression(es, "~ year", robust="CR2", cluster="group"),
    },
    "small_study_effects": {
        f"{t} {m}": lambda es, t=t, m=m: vo.small_study_effects(es, test=t, model=m)
        for t in (
            "egger",
            "begg",
            "peters",
            "harbord",
            "macaskill",
            "deeks",
            "pet",
            "peese",
            "pet_peese",
        )
        for m in ("lm", "rma")
    },
    "trim_and_fill": {
        f"{e} {m}": lambda es, e=e, m=m: vo.trim_and_fill(es, estimator=e, method=m)
        for e in ("L0", "R0", "Q0")
        for m in ("EE", "DL", "REML")
    },
    "selection_model": {
        "default": vo.selection_model,
        "less": lambda es: vo.selection_model(es, alternative="less"),
    },
    "gosh": {"REML": vo.gosh, "EE": lambda es: vo.gosh(es, method="EE", most=50)},
    "influence": {
        "default": vo.influence,
        "moderated": lambda es: vo.influence(es, formula="~ year"),
        "hksj": lambda es: vo.influence(es, ci="hksj"),
    },
    "leave_one_out": {
        "default": vo.leave_one_out,
        "hksj": lambda es: vo.leave_one_out(es, ci="hksj"),
    },
    "cumulative": {"default": vo.cumulative, "hksj": lambda es: vo.cumulative(es, ci="hksj")},
    "subgroups": {
        "default": lambda es: vo.subgroups(es, by="group"),
        "common": lambda es: vo.subgroups(es, by="group", common_tau2=True),
        "by year": lambda es: vo.subgroups(es, by="year", ci="hksj"),
    },
    "funnel_data": {"EE": vo.funnel_data, "REML": lambda es: vo.funnel_data(es, method="REML")},
    "effect_sizes": {"GEN": lambda es: vo.effect_sizes(es, measure="GEN")},
    "summary_of_findings": {
        "as it is": lambda es: vo.summary_of_findings(
            {"pain": vo.pool(es, measure="MD")}, participants=100, mcid=1.5
        ),
        "risk": lambda es: vo.summary_of_findings(
            {"death": vo.pool(es, measure="RR")}, baseline_risk=0.1, participants=100
        ),
        "a risk of 0": lambda es: vo.summary_of_findings(
            {"death": vo.pool(es, measure="OR")}, baseline_risk=0.0
        ),
    },
    "calibrate": {
        "as their own controls": lambda es: vo.calibrate(
            es.assign(estimate=es["effect"], se=es["variance"].clip(lower=0) ** 0.5),
            controls=es.assign(estimate=es["effect"], se=es["variance"].clip(lower=0) ** 0.5),
        ),
    },
}
OF_COUNTS = {
    "effect_sizes": {
        f"{m} {d} {a}": lambda t, m=m, d=d, a=a: vo.effect_sizes(t, measure=m, dialect=d, add_to=a)
        for m in ("OR", "RR", "RD", "PETO", "IRR", "IRD", "PR", "PLN", "PLO", "PAS", "PFT")
        for d in ("metafor", "revman5")
        for a in (None, "none", "all")
    },
    "pool": {
        f"{m} {d}": lambda t, m=m, d=d: vo.pool(vo.effect_sizes(t, measure=m, dialect=d), dialect=d)
        for m in ("OR", "RR", "RD", "PETO", "IRR", "IRD", "PR", "PLN", "PLO", "PAS", "PFT")
        for d in ("metafor", "revman5")
    },
    "pool_counts": {
        **{
            f"mantel_haenszel {m} {d}": lambda t, m=m, d=d: vo.pool_counts(
                t, measure=m, method="mantel_haenszel", dialect=d
            )
            for m in ("OR", "RR", "RD", "IRR", "IRD")
            for d in ("metafor", "revman5")
        },
        "random OR": lambda t: vo.pool_counts(
            t, measure="OR", method="mantel_haenszel", effects="random"
        ),
        "peto": lambda t: vo.pool_counts(t, measure="PETO", method="peto"),
        **{
            f"glmm {m}": lambda t, m=m: vo.pool_counts(t, measure="OR", method="glmm", model=m)
            for m in ("UM.FS", "UM.RS", "CM.EL", "CM.AL")
        },
        "glmm common": lambda t: vo.pool_counts(
            t, measure="OR", method="glmm", model="UM.FS", effects="common"
        ),
        "glmm IRR": lambda t: vo.pool_counts(t, measure="IRR", method="glmm"),
        "glmm PLO": lambda t: vo.pool_counts(t, measure="PLO", method="glmm"),
        **{
            f"beta_binomial {m}": lambda t, m=m: vo.pool_counts(
                t, measure=m, method="beta_binomial"
            )
            for m in ("OR", "RR", "RD")
        },
        "firth": lambda t: vo.pool_counts(t, measure="OR", method="firth"),
    },
    "multiverse": {
        "OR": lambda t: vo.multiverse(t, measure="OR", published=(0.7, 0.4, 1.2)),
        "RR": lambda t: vo.multiverse(t, measure="RR"),
    },
    "check_reported": {"default": vo.check_reported},
    "network_contrasts": {
        m: lambda t, m=m: vo.network_contrasts(_arms(t), measure=m) for m in ("OR", "RR", "RD")
    },
}
OF_MEANS = {
    "effect_sizes": {
        f"{m} {d}": lambda t, m=m, d=d: vo.effect_sizes(t, measure=m, dialect=d)
        for m in ("MD", "SMD", "ROM", "MN")
        for d in ("metafor", "revman5")
    },
    "pool": {
        m: lambda t, m=m: vo.pool(vo.effect_sizes(t, measure=m)) for m in ("MD", "SMD", "ROM", "MN")
    },
    "multiverse": {m: lambda t, m=m: vo.multiverse(t, measure=m) for m in ("MD", "SMD")},
    "check_reported": {"default": vo.check_reported},
}
OF_NETWORKS = {
    "pool_network": {
        m: lambda c, m=m: _everything(vo.pool_network(c, method=m))
        for m in ("EE", "DL", "REML", "REML_exact")
    },
    "network_components": {
        "default": lambda c: pd.DataFrame({"part": [str(p) for p in vo.network_components(c)]})
    },
}


def _arms(table):
    halves = [
        table.assign(treatment=arm, events=table[f"events_{side}"], n=table[f"n_{side}"])
        for arm, side in (("VP", "t"), ("NSM", "c"))
    ]
    return pd.concat(halves)[["study", "treatment", "events", "n"]]


def _everything(net):
    for model in ("random", "common"):
        assert np.isfinite(net.estimate(model=model).to_numpy()).all()
        assert (net.se(model=model).to_numpy() >= 0).all()
    for question in (
        net.p_scores,
        net.league_table,
        net.inconsistency,
        net.node_split,
        net.contributions,
    ):
        with suppress(vo.VertebroError):
            assert question() is not None
    return net


OF_CURVES = {
    "reconstruct_survival": {
        "as printed": lambda c: vo.reconstruct_survival(c[["time", "survival"]], _at_risk(c)),
        "two events": lambda c: vo.reconstruct_survival(
            c[["time", "survival"]], _at_risk(c), total_events=2
        ),
    },
}


def _curve(time, survival, n_at_risk):
    """Points of a curve; what is printed below it stands beside the first points."""
    printed = [*n_at_risk, *[np.nan] * (len(time) - len(n_at_risk))]
    return pd.DataFrame({"time": time, "survival": survival, "n_at_risk": printed})


def _at_risk(curve):
    return curve.loc[curve["n_at_risk"].notna(), ["time", "n_at_risk"]]


CURVES = {
    "no point": _curve([], [], []),
    "one point": _curve([0.0], [1.0], [5]),
    "nobody has it": _curve([0.0, 10.0, 20.0], [1.0, 1.0, 1.0], [9, 9]),
    "everybody at once": _curve([0.0, 10.0], [1.0, 0.0], [9]),
    "everybody at the start": _curve([0.0, 10.0], [0.0, 0.0], [9, 0]),
    "one patient": _curve([0.0, 10.0], [1.0, 0.0], [1]),
    "no patient": _curve([0.0, 10.0], [1.0, 0.5], [0]),
    "a billion patients": _curve([0.0, 10.0, 20.0], [1.0, 0.5, 0.4], [10**9, 10**8]),
    "ties only": _curve([0.0, 5.0, 5.0, 5.0, 9.0], [1.0, 0.8, 0.6, 0.4, 0.4], [20]),
    "rising": _curve([0.0, 10.0, 20.0, 30.0], [1.0, 0.4, 0.9, 0.2], [20, 15, 9]),
    "falls of 1e-12": _curve([0.0, 10.0, 20.0], [1.0, 1 - 1e-12, 1 - 2e-12], [20, 20]),
    "times of 1e-300": _curve([0.0, 1e-300, 1e300], [1.0, 0.5, 0.2], [20, 10]),
    "infinite": _curve([0.0, np.inf], [1.0, 0.5], [20]),
    "missing": _curve([0.0, np.nan, 5.0], [1.0, 0.5, np.nan], [20]),
    "below zero": _curve([0.0, 5.0], [1.0, -0.5], [20]),
    "more at risk later": _curve([0.0, 5.0, 9.0], [1.0, 0.8, 0.5], [20, 30]),
    "fewer at risk than events": _curve([0.0, 5.0, 9.0], [1.0, 0.9, 0.85], [20, 2]),
}


TRIED = {*OF_EFFECTS, *OF_COUNTS, *OF_MEANS, *OF_NETWORKS}
KNOWN = {"by": "group", "cluster": "group", "formula": "~ year", "measure": "OR"}
OF_EFFECTS |= calls_by_signature("meta_analysis.", tried=TRIED, subject="es", known=KNOWN)
OF_COUNTS |= calls_by_signature("meta_analysis.", tried=TRIED, subject="table", known=KNOWN)
STRESS = (
    ("effects", OF_EFFECTS, EFFECTS),
    ("counts", OF_COUNTS, COUNTS),
    ("means", OF_MEANS, MEANS),
    ("networks", OF_NETWORKS, NETWORKS),
    ("curves", OF_CURVES, CURVES),
)
