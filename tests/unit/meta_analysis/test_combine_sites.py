"""Sites that share no patients give the numbers of all patients in one file, and hide what is small."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.follow_up import EVENT, follow_patients
from vertebro_outcomes.comparisons.small_counts import hide_parts
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.meta_analysis.site_curves import maximum

ARMS = {"treatment": "KP", "comparator": "NSM"}
WORDS = ["day_from", "day_to"]


@pytest.fixture(scope="module")
def whole():
    cohort, _ = vo.simulate_registry(n_patients=4000, seed=5, scenario="confounded")
    ends = cohort.frame("episodes").set_index("patient_id")["followup_end_day"]
    return cohort.keep(
        cohort.frame("patients")["patient_id"].map(ends) > 0, because="followed after day 0"
    )


@pytest.fixture(scope="module")
def sites(whole):
    labels = whole.frame("patients")["site"]
    names = sorted(labels.unique())[:3]
    return {name: whole.keep(labels == name, because=f"site {name}") for name in names}


@pytest.fixture(scope="module")
def bundles(sites):
    return [
        vo.site_summary(part, site=name, **ARMS, day=90, covariates=["baseline", "age_years"])
        for name, part in sites.items()
    ]


@pytest.fixture(scope="module")
def combined(bundles):
    return vo.combine_sites(bundles)


def row(combined, measure, *, exact=True):
    found = combined.to_frame()
    found = found[(found["measure"] == measure) & (found["exact"] == exact)]
    return found.iloc[0]


def stacked(sites):
    """All patients of the sites in one file."""
    return {
        table: pd.concat([part.frame(table) for part in sites.values()], ignore_index=True)
        for table in ("patients", "episodes", "levels", "scores", "events", "fractures")
    }


def test_scores_are_the_least_squares_of_all_patients_with_an_intercept_per_site(combined, sites):
    import statsmodels.formula.api as smf

    tables = stacked(sites)
    people = (
        tables["episodes"].drop_duplicates("patient_id").merge(tables["patients"], on="patient_id")
    )
    people = people[people["treatment"].isin(["KP", "NSM"])]
    scores = tables["scores"]
    scores = scores[(scores["instrument"] == "pain_vas") & scores["value"].notna()]
    base = scores[scores["day"] <= 0].sort_values("day").drop_duplicates("episode_id", keep="last")
    late = scores[(scores["day"] >= 63) & (scores["day"] <= 117)].copy()
    late["far"] = (late["day"] - 90).abs()
    late = late.sort_values(["far", "day"]).drop_duplicates("episode_id")
    people = people.assign(
        base=people["episode_id"].map(base.set_index("episode_id")["value"]),
        y=people["episode_id"].map(late.set_index("episode_id")["value"]),
        arm=(people["treatment"] == "KP").astype(float),
    ).dropna(subset=["base", "y", "age_years"])
    frame = people[["y", "arm", "base", "age_years", "site"]].astype(
        {"age_years": float, "site": str}
    )
    fit = smf.ols("y ~ arm + base + age_years + site", data=frame).fit()
    found = row(combined, "MD")
    assert found["estimate"] == pytest.approx(fit.params["arm"], rel=1e-9)
    assert found["se"] == pytest.approx(fit.bse["arm"], rel=1e-9)
    assert [found["ci_low"], found["ci_high"]] == pytest.approx(fit.conf_int().loc["arm"], rel=1e-9)


def test_events_are_the_stratified_cox_model_of_all_patients(combined, sites):
    parts = []
    for number, part in enumerate(sites.values()):
        people, _ = follow_patients(part, event="fracture", function="test")
        parts.append(people[people["treatment"].isin(["KP", "NSM"])].assign(stratum=number))
    people = pd.concat(parts)
    fit = fit_cox(
        people["days"].to_numpy(float), (people["cause"] == EVENT).to_numpy(),
        x=(people["treatment"] == "KP").to_numpy(float)[:, None],
        stratum=people["stratum"].to_numpy(np.int64),
    )  # fmt: skip
    found = row(combined, "HR")
    assert found["estimate"] == pytest.approx(fit.beta[0], abs=1e-8)
    assert found["se"] == pytest.approx(fit.covariance[0, 0] ** 0.5, rel=1e-6)


def test_complications_are_mantel_haenszel_over_the_sites(combined, bundles):
    lines = [{"study": b.site, **c} for b in bundles for c in b.complications if c["type"] == "any"]
    a, n1, b, n0 = (
        np.array([line[k] for line in lines], float) for k in ("events_t", "n_t", "events_c", "n_c")
    )
    total = n1 + n0
    by_hand = np.log(np.sum(a * (n0 - b) / total) / np.sum(b * (n1 - a) / total))
    found = combined.to_frame().query("analysis == 'any'").iloc[0]
    assert found["estimate"] == pytest.approx(by_hand, abs=1e-12)


def test_risk_differences_are_mantel_haenszel_too_and_need_no_event_in_an_arm(combined, bundles):
    table = combined.to_frame().query("measure == 'RD'").set_index("analysis")
    kinds = set(table.index) - set(combined.to_frame().query("measure == 'OR'")["analysis"])
    assert kinds  # nobody without surgery has a leak
    for kind in table.index:
        lines = []
        for bundle in bundles:  # a site that never saw this type had none of it
            none = {"events_t": 0, "events_c": 0, "n_t": bundle.n_t, "n_c": bundle.n_c}
            own = [line for line in bundle.complications if line["type"] == kind] or [none]
            lines += [line for line in own if None not in line.values()]
        a, n1, b, n0 = (
            np.array([line[k] for line in lines], float)
            for k in ("events_t", "n_t", "events_c", "n_c")
        )
        by_hand = np.sum((a * n0 - b * n1) / (n1 + n0)) / np.sum(n1 * n0 / (n1 + n0))
        assert table.loc[kind, "estimate"] == pytest.approx(by_hand, abs=1e-12)
        row = combined.rates.set_index("type").loc[kind]
        assert (row["events_t"], row["n_c"], row["sites"]) == (a.sum(), n0.sum(), len(lines))


def test_balance_is_that_of_all_patients_in_one_file(sites, whole):
    covariates = ["age_years", "sex"]
    one_file = {**ARMS, "day": 90, "covariates": covariates}
    found = vo.combine_sites(
        [vo.site_summary(part, site=name, **one_file) for name, part in sites.items()]
    ).balance
    labels = whole.frame("patients")["site"]
    together = whole.keep(labels.isin(list(sites)), because="these sites")
    expected = vo.site_summary(together, site="all", **one_file).balance
    columns = ["mean_t", "sd_t", "mean_c", "sd_c"]
    assert found["covariate"].tolist() == [line["covariate"] for line in expected]
    assert found[columns].to_numpy() == pytest.approx(
        pd.DataFrame(expected)[columns].to_numpy(), rel=1e-10
    )
    gap = (found["mean_t"] - found["mean_c"]) / (
        (found["sd_t"] ** 2 + found["sd_c"] ** 2) / 2
    ) ** 0.5
    assert found["smd"].to_numpy() == pytest.approx(gap.to_numpy(), rel=1e-12)


def test_risk_sets_are_sums_unless_a_site_hides_its_number(combined, bundles):
    own = pd.concat([pd.DataFrame(b.risk_sets) for b in bundles]).astype({"at_risk": float})
    for line in combined.risk_sets.itertuples():
        mine = own[(own["arm"] == line.arm) & (own["day_from"] == line.day_from)]["at_risk"]
        assert np.isnan(line.at_risk) if mine.isna().any() else line.at_risk == mine.sum()


@pytest.mark.parametrize(
    ("whole", "parts", "shown"),
    [
        (60, [40, 20], (60, [40, 20])),
        (60, [55, 20], (60, [None, 20])),  # 5 patients had only the other
        (60, [30, 25, 5], (60, [30, None, None])),  # 60 - 30 - 25 are those 5
        (60, [30, 10, 20], (60, [30, None, None])),  # 60 - 30 - 20 had the hidden one
        (60, [30, 15, 6, 9], (60, [30, 15, None, None])),
        (8, [8, 0], (None, [None, 0])),
        (0, [0, 0], (0, [0, 0])),
    ],
)
def test_no_type_of_complication_tells_few_patients_by_the_total(whole, parts, shown):
    one, lines = {"n": whole}, [{"n": n} for n in parts]
    hide_parts(one, lines, "n", 11)
    assert (one["n"], [line["n"] for line in lines]) == shown


def small_site(name, *, value=5.0, day=90, **tables):
    ids = [f"p{i:02d}" for i in range(60)]
    scores = pd.DataFrame({"patient_id": ids * 2, "instrument": "pain_vas"})
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": ["KP", "NSM"] * 30, "followup_end_day": 400}
        ),
        scores=scores.assign(
            day=[0] * 60 + [day] * 60, value=[8.0, value] * 30 + [3.0, 4.0, 5.0, 2.0, 1.0, 6.0] * 10
        ),
        **tables,
    )
    return vo.site_summary(cohort, site=name, **ARMS, day=90)


def test_a_site_that_can_estimate_nothing_alone_adds_what_it_has(bundles, sites):
    flat = small_site("flat", value=8.0)
    assert flat.complications == []  # no event recorded: not the same as no event
    assert any("does not show that there were none" in note for note in flat.notes)
    one = vo.site_summary(next(iter(sites.values())), site="one", **ARMS, day=90)
    found = vo.combine_sites([flat, one])
    assert found.to_frame()["measure"].tolist() == ["MD"]  # no pool of a single estimate
    assert found.to_frame()["k"].tolist() == [2]
    assert "no estimate of flat alone" in " ".join(found.notes)
    with pytest.raises(vo.InputError, match="no part is shared by two sites"):
        vo.combine_sites([flat, replace(flat, site="other", n_t=31)])


def test_a_maximum_beyond_the_grid_is_none():
    at = np.linspace(-1, 1, 3)
    part = {"log_hazard_ratio": at, "log_likelihood": -((at - 0.3) ** 2), "information": [2.0] * 3}
    assert maximum([{**part, "score": -2 * (at - 0.3)}]) == pytest.approx((0.3, 0.5**0.5))
    assert maximum([{**part, "score": [1.0, 2.0, 3.0]}]) is None


def test_small_counts_are_hidden_and_one_alone_is_not_left_alone(bundles):
    shown = [line[k] for b in bundles for line in b.complications for k in ("events_t", "events_c")]
    shown += [
        line[k] for b in bundles for line in b.risk_sets for k in ("at_risk", "events", "deaths")
    ]
    assert all(value is None or value == 0 or value >= 11 for value in shown)
    assert None in shown
    for bundle in bundles:
        table = pd.DataFrame(bundle.risk_sets)
        for _, part in table.groupby("arm"):
            for name in ("events", "deaths"):
                hidden = part[name].isna().sum()
                assert hidden != 1 or not (part[name] >= 11).any()


def test_no_difference_of_numbers_at_risk_tells_a_small_count(bundles):
    for bundle in bundles:
        for arm, n in ((bundle.treatment, bundle.n_t), (bundle.comparator, bundle.n_c)):
            last, shown = n, 0
            for line in (line for line in bundle.risk_sets if line["arm"] == arm):
                if line["at_risk"] is not None:
                    left = last - line["at_risk"] - shown
                    assert left == 0 or left >= bundle.smallest_count
                    last, shown = line["at_risk"], 0
                shown += (line["events"] or 0) + (line["deaths"] or 0)


def test_what_a_small_site_hides_cannot_be_solved_for():
    """Two left between days 90 and 180, at least one with a fracture and one who died: hidden."""
    ends = [100, 120] + [400] * 28
    ids = [f"p{i:02d}" for i in range(60)]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "death_day": [np.nan, 120] + [np.nan] * 58}),
        episodes=pd.DataFrame(
            {
                "patient_id": ids,
                "treatment": ["VP"] * 30 + ["NSM"] * 30,
                "day0": "treatment",
                "followup_end_day": [*ends, *([400] * 30)],
            }
        ),
        fractures=pd.DataFrame({"patient_id": ["p00"], "day": [95]}),
        scores=pd.DataFrame(
            {"patient_id": ids, "instrument": "pain_vas", "day": 0, "value": [5.0] * 60}
        ),
    )
    bundle = vo.site_summary(
        cohort, site="a", treatment="VP", comparator="NSM", day=90, covariates=[]
    )
    mine = [line for line in bundle.risk_sets if line["arm"] == "VP"]
    assert [line["at_risk"] for line in mine] == [30, 30, 30, None, None]
    assert (mine[2]["events"], mine[2]["deaths"]) == (None, None)


def test_no_identifier_and_no_row_leaves_the_site(bundles, sites):
    text = "".join(bundle.to_json() for bundle in bundles)
    for part in sites.values():
        for name in ("patient_id", "episode_id"):
            assert not any(word in text for word in part.frame("episodes")[name].head(50))


def test_bundles_survive_the_file_and_the_order_of_sites_does_not_matter(
    bundles, combined, tmp_path
):
    paths = [b.write(tmp_path / f"{i}.json") for i, b in enumerate(bundles)]
    again = vo.combine_sites(paths[::-1]).to_frame()
    columns = ["estimate", "se", "ci_low", "ci_high"]
    assert again[columns].to_numpy() == pytest.approx(
        combined.to_frame()[columns].to_numpy(), rel=1e-9, nan_ok=True
    )
    assert vo.read_site_bundle(paths[0]).to_json() == bundles[0].to_json()


def test_swapped_arms_turn_every_sign(sites, combined):
    swapped = [
        vo.site_summary(part, site=name, treatment="NSM", comparator="KP", day=90,
                        covariates=["baseline", "age_years"])
        for name, part in sites.items()
    ]  # fmt: skip
    found = vo.combine_sites(swapped).to_frame()
    assert found["estimate"].to_numpy() == pytest.approx(-combined.to_frame()["estimate"], abs=1e-6)


def test_what_is_shown_says_synthetic_and_what_is_exact(combined, bundles):
    assert str(combined).startswith("SYNTHETIC data. KP against NSM over sites")
    assert "as with all patients in one file" in str(combined)
    assert str(bundles[0]).startswith("SYNTHETIC")
    assert "synthetic" in combined.plot().get_xlabel()
    with pytest.raises(vo.InputError, match="allowed: pain_vas at day 90, fracture, any"):
        combined.plot(analysis="mood")
    assert "<table" in combined._repr_html_()
    assert "<table" in bundles[0]._repr_html_()


def test_a_part_that_a_site_hides_is_left_out_and_said(sites, bundles):
    few = vo.site_summary(
        next(iter(sites.values())), site="small", **ARMS, day=90, event="spinal_cord_compression",
        covariates=["baseline", "age_years"],
    )  # fmt: skip
    assert few.event is None
    assert any("no likelihood is shared" in note for note in few.notes)
    found = vo.combine_sites([few, *bundles[1:]])
    assert not row(found, "HR", exact=False)["exact"]
    assert any(note.startswith("event: without small") for note in found.notes)


def test_augmentation_as_one_arm_holds_its_types(sites):
    part = next(iter(sites.values()))
    bundle = vo.site_summary(part, site="x", treatment="VA", comparator="NSM", day=90)
    kp = vo.site_summary(part, site="x", treatment="KP", comparator="NSM", day=90)
    assert bundle.event["n_t"] == bundle.n_t > kp.n_t


def test_mistakes_are_named(sites, bundles, tmp_path):
    part = next(iter(sites.values()))
    with pytest.raises(vo.InputError, match="a site comes twice"):
        vo.combine_sites([bundles[0], bundles[0]])
    with pytest.raises(vo.InputError, match="at least 2"):
        vo.combine_sites(bundles[:1])
    other = vo.site_summary(part, site="other", **ARMS, day=30)
    with pytest.raises(vo.InputError, match="site other, score: day: 30; allowed: 90"):
        vo.combine_sites([bundles[0], other])
    swapped = vo.site_summary(part, site="x", treatment="NSM", comparator="KP", day=90)
    with pytest.raises(vo.InputError, match="NSM against KP"):
        vo.combine_sites([bundles[0], swapped])
    with pytest.raises(vo.InputError, match="fewer than 5000 patients"):
        vo.site_summary(part, site="x", **ARMS, smallest_count=5000)
    for bad in ({"smallest_count": 1}, {"outcome": "mood"}):
        with pytest.raises(vo.InputError, match=next(iter(bad))):
            vo.site_summary(part, site="x", **ARMS, **bad)
    with pytest.raises(vo.InputError, match="cohort"):
        vo.site_summary("no cohort", site="x", **ARMS)
    for text in (
        "[]",
        "{",
        json.dumps({"kind": "x"}),
    ):
        path = tmp_path / "bad.json"
        path.write_text(text)
        with pytest.raises(vo.LoadError, match=r"bad\.json"):
            vo.read_site_bundle(path)
    with pytest.raises(vo.LoadError, match="a folder, no file"):
        vo.read_site_bundle(tmp_path)
    with pytest.raises(vo.InputError, match="site copy: the same numbers as those of site"):
        vo.combine_sites([*bundles, replace(bundles[1], site="copy")])
    with pytest.raises(vo.InputError, match="argument site"):
        vo.site_summary(part, site=" ", **ARMS)
    with pytest.raises(vo.InputError, match=r"site_summary\(\)(.|\n)*the cohort has: KP, NSM, VP"):
        vo.site_summary(part, site="x", treatment="VAI", comparator="NSM")
    with pytest.raises(vo.LoadError, match="no such file"):
        vo.read_site_bundle(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layout": 1}, "layout 1, written by another version"),
        ({"n_t": ""}, "n_t: missing or of another type"),
        ({"n_t": True}, "n_t: missing or of another type"),
        ({"score": 7}, "score: missing, or no object"),
        ({"score.gram": None}, "score: gram: missing"),
        ({"score.gram": [[1, 2], [3]]}, "score: gram: not 5 rows of 5 numbers"),
        ({"score.gram": [[float("nan")] * 5] * 5}, "score: gram: not 5 rows of 5 numbers"),
        ({"score": None}, "balance: not that of the score"),
        ({"balance": [1, 2]}, "balance: no means"),
        ({"balance": []}, "balance: other covariates"),
        ({"event.score": [1.0]}, "event: score: not as many numbers"),
        ({"event.log_hazard_ratio": None}, "event: log_hazard_ratio: not as many"),
        ({"complications": [1]}, "complications: missing, or no object"),
        ({"risk_sets": [{"arm": "KP", "day_from": 0, "day_to": 30}]}, "at_risk: neither a count"),
    ],
)
def test_a_damaged_bundle_is_refused_by_the_place(bundles, tmp_path, change, said):
    held = json.loads(bundles[0].to_json())
    for name, value in change.items():
        *inside, last = name.split(".")
        (held[inside[0]] if inside else held)[last] = value
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(held))
    with pytest.raises(vo.LoadError, match=rf"bad\.json(.|\n)*{said}"):
        vo.read_site_bundle(path)


def test_other_likelihood_grids_are_refused(bundles):
    event = {**bundles[1].event, "log_hazard_ratio": [0.0, 1.0]}
    with pytest.raises(vo.InputError, match="tabulated at other hazard ratios"):
        vo.combine_sites([bundles[0], replace(bundles[1], event=event)])


def test_the_commands_write_and_combine(sites, tmp_path):
    from typer.testing import CliRunner

    from vertebro_outcomes.cli import app

    paths = []
    for name, part in list(sites.items())[:2]:
        part.write(tmp_path / name)
        paths.append(str(tmp_path / f"{name}.json"))
        done = CliRunner().invoke(
            app,
            [
                "site-summary",
                str(tmp_path / name),
                "--site",
                name,
                "--output",
                paths[-1],
                "--treatment",
                "KP",
                "--day",
                "90",
            ],
        )
        assert done.exit_code == 0, done.output
        assert "read it before it leaves" in done.output
    done = CliRunner().invoke(app, ["combine", *paths])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("SYNTHETIC data. KP against NSM over sites")
    assert "numbers at risk and events" in done.output
    done = CliRunner().invoke(app, ["combine", "--csv", *paths])
    assert done.output.startswith("analysis,measure,method,k,estimate")
