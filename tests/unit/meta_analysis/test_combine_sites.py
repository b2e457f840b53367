"""Sites that share no patients give the numbers of all patients in one file, and hide what is small."""

import json

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.follow_up import EVENT, follow_patients
from vertebro_outcomes.estimators.survival.cox import fit_cox

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
        bundles[0].to_json().replace('"n_t": ', '"n_t": "" , "m": '),
    ):
        path = tmp_path / "bad.json"
        path.write_text(text)
        with pytest.raises(vo.LoadError, match=r"bad\.json"):
            vo.read_site_bundle(path)
    with pytest.raises(vo.LoadError, match="no such file"):
        vo.read_site_bundle(tmp_path / "none.json")


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
    done = CliRunner().invoke(app, ["combine", "--csv", *paths])
    assert done.output.startswith("analysis,measure,method,k,estimate")
