"""Cohorts: from frames, keep with reasons, lossless round trip, declared units."""

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.tables import selection
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.event_types import ABSENCE, EVENT_ALIASES, EVENT_TYPES, INSTRUMENTS

PATIENTS = pd.DataFrame(
    {
        "patient_id": ["b", "a", "c", "d"],
        "age_years": [70, 80, None, 60],
        "sex": ["female", "male", "male", None],
        "frailty": [0.1, 0.2, 0.3, 0.4],
        "site": ["x", "y", "x", "x"],
        "death_day": [None, None, 100, None],
    }
)
EPISODES = pd.DataFrame(
    {
        "patient_id": ["a", "b", "c", "d"],
        "treatment": ["VP", "KP", "NSM", "VP"],
        "fracture_day": [-10, -20, 3, None],
        "followup_end_day": [400, 200, 100, 30],
    }
)
SCORES = pd.DataFrame(
    {
        "patient_id": ["a", "a", "b", "a"],
        "instrument": "pain_vas",
        "day": [0, 30, 30, 360],
        "value": [8.0, 2.0, None, 1 / 3],
    }
)
LEVELS = pd.DataFrame({"patient_id": ["a", "b"], "level": ["L1", "L1"], "treated": [True, True]})
FRACTURES = pd.DataFrame({"patient_id": ["a", "b", "c"], "level": ["T12", "L4", "L2"], "day": 100})


@pytest.fixture(scope="module")
def cohort():
    return vo.Cohort.from_frames(
        patients=PATIENTS,
        episodes=EPISODES,
        scores=SCORES,
        levels=LEVELS,
        fractures=FRACTURES,
        name="small",
        synthetic=True,
    )


def test_frames_come_back_with_every_declared_column(cohort):
    for name, declared in vo.TABLES.items():
        frame = cohort.frame(name)
        assert list(frame.columns[: len(declared.names)]) == list(declared.names)
    patients = cohort.frame("patients")
    assert patients["patient_id"].tolist() == ["a", "b", "c", "d"]
    assert patients["age_years"].tolist()[:2] == [80.0, 70.0]
    assert patients["age_years"].isna().tolist() == [False, False, True, False]
    assert patients["frailty"].tolist() == [0.2, 0.1, 0.3, 0.4]
    assert cohort.frame("scores")["day"].dtype == "Int64"


def test_what_follows_is_derived_and_what_is_given_stays(cohort):
    episodes = cohort.frame("episodes").set_index("patient_id")
    assert episodes.loc["a", "fracture_age_days"] == 10
    assert episodes["fracture_age_days"].isna().to_dict() == {
        "a": False, "b": False, "c": True, "d": True,
    }  # fmt: skip
    adjacent = cohort.frame("fractures").set_index("patient_id")["adjacent"]
    assert adjacent["a"]
    assert not adjacent["b"]
    assert pd.isna(adjacent["c"])  # no level of c is known
    assert cohort.frame("scores")["status"].tolist() == ["observed"] * 3 + ["missing"]
    given = vo.Cohort.from_frames(
        patients=PATIENTS,
        episodes=EPISODES,
        levels=LEVELS,
        fractures=FRACTURES.assign(adjacent=False),
    )
    assert not given.frame("fractures")["adjacent"].any()


def test_keep_restricts_every_table_and_says_why(cohort):
    old = cohort.keep(cohort.patients.age_years >= 65, because="65 or older")
    assert old.frame("patients")["patient_id"].tolist() == ["a", "b"]
    assert set(old.frame("scores")["patient_id"]) == {"a", "b"}
    assert set(old.frame("fractures")["patient_id"]) == {"a", "b"}
    treated = old.keep(old.episodes.treatment == "VP", because="vertebroplasty")
    assert treated.frame("patients")["patient_id"].tolist() == ["a"]
    expected = [
        ("in the cohort", 4, 2, 1, 1),
        ("65 or older", 2, 1, 1, 0),
        ("vertebroplasty", 1, 1, 0, 0),
    ]
    assert list(treated.attrition.itertuples(index=False, name=None)) == expected
    assert list(treated.attrition.columns) == ["step", "n_patients", "n_VP", "n_KP", "n_NSM"]
    assert treated.synthetic
    assert cohort.frame("patients").shape[0] == 4


def test_a_mask_follows_the_order_of_the_frame(cohort):
    mask = cohort.frame("patients")["age_years"] < 75
    assert cohort.keep(mask, because="young").frame("patients")["patient_id"].tolist() == ["b", "d"]
    by_row = cohort.keep([True, False, False, False], because="first").frame("episodes")
    assert by_row["patient_id"].tolist() == ["a"]


def test_keep_on_scores_keeps_patients_with_such_a_row(cohort):
    kept = cohort.keep(cohort.scores.value < 1, because="little pain once")
    assert kept.frame("scores").shape[0] == 3


def test_what_is_kept_can_be_asked_again_and_no_table_of_rows_is_copied(
    cohort, tmp_path, monkeypatch
):
    stored, store = [], selection.store
    monkeypatch.setattr(selection, "store", lambda *given: stored.append(given[1]) or store(*given))
    old = cohort.keep(cohort.patients.age_years >= 65, because="65 or older")
    again = old.keep(old.scores.day.notnull(), because="a score")
    assert stored == ["patients", "episodes"] * 2
    mine = cohort.frame("scores").query("patient_id in ['a', 'b']").reset_index(drop=True)
    pd.testing.assert_frame_equal(again.frame("scores"), mine)
    written = vo.load(again.write(tmp_path / "kept"))
    pd.testing.assert_frame_equal(written.frame("scores"), mine)


@pytest.mark.parametrize("bad", [[True], "x", 3])
def test_a_mask_that_fits_nothing_is_refused(cohort, bad):
    with pytest.raises(vo.InputError, match="mask"):
        cohort.keep(bad, because="no")


def test_expressions_of_another_cohort_and_empty_reasons_are_refused(cohort):
    other = cohort.keep(cohort.patients.age_years > 0, because="aged")
    with pytest.raises(vo.InputError, match="another cohort"):
        cohort.keep(other.patients.age_years > 65, because="no")
    with pytest.raises(vo.InputError, match="reason"):
        cohort.keep(cohort.patients.age_years > 65, because=" ")
    with pytest.raises(vo.InputError, match="ABC"):
        cohort.frame("ABC")


def test_levels_as_independent_units_take_a_deliberate_argument(cohort):
    with pytest.raises(vo.InputError, match="correlated"):
        cohort.units("levels")
    assert len(cohort.units("levels", levels_as_independent="accept")) == 2
    assert len(cohort.units("patients")) == 4


def test_the_round_trip_loses_nothing(cohort, tmp_path):
    small = cohort.keep(cohort.patients.age_years > 0, because="age, known")
    folder = small.write(tmp_path / "out")
    back = load(folder, format="canonical")
    for name in STORED:
        pd.testing.assert_frame_equal(back.frame(name), small.frame(name), check_exact=True)
    for ledger in ("rejects", "accounting", "attrition", "unmapped"):
        pd.testing.assert_frame_equal(getattr(back, ledger), getattr(small, ledger))
    assert (back.name, back.synthetic, back.notes) == (small.name, True, small.notes)
    assert str(load(folder)) == str(small)


def test_an_interrupted_write_leaves_the_previous_result(cohort, tmp_path, monkeypatch):
    folder = cohort.write(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("vertebro_outcomes.tables.storage.json.dumps", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cohort.write(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_files_are_never_overwritten(cohort, tmp_path):
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(vo.InputError, match="other files"):
        cohort.write(tmp_path)


def test_coverage_and_completeness(cohort):
    measures = cohort.coverage().set_index("measure")
    assert measures.loc["sites reporting", "n"] == 2
    assert measures.loc["patients dead within one year", "n"] == 1
    assert measures.loc["patients with a score at one year", ["n", "of"]].tolist() == [1, 3]
    assert measures.loc["patients followed for one year", ["n", "of"]].tolist() == [1, 3]
    quality = cohort.quality().set_index(["table", "column"])
    assert quality.loc[("patients", "age_years"), "complete_pct"] == 75
    assert quality.loc[("scores", "value"), ["n", "n_present"]].tolist() == [4, 3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"episodes": EPISODES.assign(treatment="XX")}, "'XX'"),
        ({"patients": PATIENTS.assign(age_years=[200, 1, 1, 1])}, "above 120"),
        ({"patients": PATIENTS.assign(age_years="old")}, "'xxx'"),
        ({"patients": PATIENTS.rename(columns={"patient_id": "id"})}, "patient_id: missing"),
        ({"patients": PATIENTS.assign(patient_id="a")}, "more than once"),
        ({"scores": SCORES.assign(value=11)}, "off the scale"),
        ({"scores": SCORES.assign(patient_id="z")}, "table patients does not have"),
        ({"scores": SCORES.assign(day=0.5)}, "0.5"),
        ({"fractures": FRACTURES.assign(level="T13")}, "'T13'"),
        ({"scores": 3}, "int"),
    ],
)
def test_frames_that_break_the_declaration_are_refused(change, said):
    frames = {"patients": PATIENTS, "episodes": EPISODES, **change}
    with pytest.raises(vo.InputError, match=said):
        vo.Cohort.from_frames(**frames)


def test_identifiers_never_appear_in_a_message():
    with pytest.raises(vo.InputError) as caught:
        vo.Cohort.from_frames(patients=PATIENTS, episodes=EPISODES.assign(patient_id="secret-name"))
    assert "secret" not in str(caught.value)


def test_the_declaration_is_whole():
    assert list(vo.TABLES) == ["patients", "episodes", "levels", "scores", "events", "fractures"]
    assert set(ABSENCE) == {"missing", "not_asked", "not_applicable", "dead"}
    assert set(EVENT_ALIASES.values()) <= set(EVENT_TYPES)
    assert not set(EVENT_ALIASES) & set(EVENT_TYPES)
    for table in vo.TABLES.values():
        for column in table.columns:
            assert column.meaning
            assert column.type in ("text", "int", "float", "bool", "date")
            if column.name.endswith("_days"):
                assert column.unit == "days"
    for name in ("pain_vas", "odi", "rmdq", "eq5d", "sf36_pcs", "qualeffo"):
        assert INSTRUMENTS[name].low is not None


NO_EVENT = (
    "responder|satisf|follow|withdr|cross|believed|ceased|persistent|chronic|adl_|pain_vas_|insufficient"
    "|spontaneous|survival|rehosp|share|given_|receives|intolerab|lost_|analges|study|walk|opioid|device_"
    "|included"
)


def test_every_complication_of_the_literature_sheets_has_an_event_type():
    from vertebro_outcomes.loaders.literature.load import literature_folder

    outcomes = pd.read_csv(literature_folder() / "arm_binary.csv", dtype=str)["outcome"].str.lower()
    known = set(EVENT_TYPES) | set(EVENT_ALIASES)
    left = sorted(o for o in outcomes.unique() if o not in known)
    assert [o for o in left if not pd.Series([o]).str.contains(NO_EVENT).iloc[0]] == []
    for named in ("nerve_root_irritation", "spinal_cord_compression", "pulmonary_cement_embolism",
                  "haemorrhage", "infection", "rib_fracture", "fever", "anaphylaxis", "cardiac",
                  "respiratory", "death", "symptomatic_leakage", "pain_worsening"):  # fmt: skip
        assert named in EVENT_TYPES


def test_every_way_to_write_a_blank_word_is_blank():
    """None, NaN, NA and an empty text are one thing; the frame of the caller stays as it was."""
    sites = pd.Series(["A", None, float("nan"), pd.NA, "", "B"], dtype=object)
    ids = [f"p{i}" for i in range(6)]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "site": sites}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
    )
    assert cohort.frame("patients")["site"].isna().tolist() == [False, *[True] * 4, False]
    assert sites[4] == ""
