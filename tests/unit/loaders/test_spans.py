"""Each record belongs to one episode, and nobody is seen later, or repeated, than the rules say."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.loaders import canonical, files
from vertebro_outcomes.loaders import load as loading
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym

DAY0 = dt.date(2018, 1, 1)


def feed(table, *columns):
    own = {name: name for name in ("patient_id", *columns)}
    return {"source": f"{table}.csv", "table": table, "columns": own}


MAPPING = {
    "name": "spans",
    "feed": [
        feed("patients"),
        feed("episodes", "episode_id", "treatment", "treatment_date"),
        feed("scores", "episode_id", "date", "day", "instrument", "value"),
        feed("events", "date", "type"),
    ],
}


def drawn(seed, n_people=60):
    """Episodes (some without a date), scores (by date, by day or by neither; some named), events."""
    draw = np.random.default_rng(seed)
    people = [f"N{i}" for i in range(n_people)]
    episodes, scores, events = [], [], []
    for i, person in enumerate(people):
        n = i % 4  # nobody has more than three episodes, some have none
        starts = np.sort(draw.choice(900, n, replace=False)).tolist()
        dates = [DAY0 + dt.timedelta(days=start) for start in starts]
        if n == 3 and i % 8 == 3:
            dates[2] = None
        episodes += [(person, f"{person}.{k}", "VP", date) for k, date in enumerate(dates)]
        for _ in range(draw.integers(0, 9)):
            date = DAY0 + dt.timedelta(days=int(draw.integers(-60, 1200)))
            called = f"{person}.{draw.integers(0, 4)}" if draw.random() < 0.3 else ""
            way = draw.choice(["date", "day", ""], p=[0.7, 0.2, 0.1]) if n else "day"
            scores.append(
                (
                    person, called,
                    date if way == "date" else "", int(draw.integers(-9, 99)) if way == "day" else "",
                    draw.choice(["odi", "pain_vas"]), int(draw.integers(0, 10)),
                )
            )  # fmt: skip
        if n and i % 3 == 0:
            events.append(
                (person, DAY0 + dt.timedelta(days=1500 + i), "death" if i % 2 else "fever")
            )
    columns = [feed["columns"].values() for feed in MAPPING["feed"]]
    rows = ([(p,) for p in people], episodes, scores, events)
    return [pd.DataFrame(r, columns=list(c)) for r, c in zip(rows, columns, strict=True)]


def expected(episodes, scores):
    """Episode number and day of each score: named, else the last begun within 30 days, else first."""
    own = {}
    for person, rows in episodes.groupby("patient_id"):
        in_turn = rows.assign(none=rows["treatment_date"].isna()).sort_values(
            ["none", "treatment_date"], kind="stable"
        )
        own[person] = list(zip(in_turn["episode_id"], in_turn["treatment_date"], strict=True))
    found = []
    for score in scores.itertuples():
        mine = own.get(score.patient_id, [])
        place = 0 if mine else None
        for k, (_, start) in enumerate(mine):
            if score.date and start and (score.date - start).days >= -30:
                place = k
        place = next((k for k, (key, _) in enumerate(mine) if key == score.episode_id), place)
        day = score.day
        if day == "" and score.date and place is not None and mine[place][1]:
            day = (score.date - mine[place][1]).days
        found.append((place, None if day == "" else day, day == "" and bool(score.date)))
    return found


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def registry(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    tables = drawn(request.param)
    for feed, rows in zip(MAPPING["feed"], tables, strict=True):
        rows.to_csv(folder / feed["source"], index=False)
    return folder, tables


@pytest.fixture(scope="module")
def cohort(registry):
    return load(registry[0], mapping=MAPPING, key=b"k")


def wanted(tables):
    """The scores as they should be kept, duplicates resolved by the first."""
    _, episodes, scores, _ = tables
    rows = []
    for score, (place, day, is_lost) in zip(
        scores.itertuples(), expected(episodes, scores), strict=True
    ):
        if not is_lost:
            name = pseudonym(score.patient_id, b"k")
            episode = None if place is None else f"E{name[1:]}-{place + 1}"
            rows.append((name, episode, score.instrument, day, float(score.value)))
    columns = ["patient_id", "episode_id", "instrument", "day", "value"]
    whole = pd.DataFrame(rows, columns=columns)
    return whole.drop_duplicates(columns[:4], keep="first")


def in_order(frame):
    frame = frame.astype({"day": "Int64"})
    by = ["patient_id", "episode_id", "instrument", "day"]
    frame = frame[[*by, "value"]].sort_values(by, ignore_index=True, key=lambda c: c.astype(str))
    return frame.astype(object).where(frame.notna(), None)


def test_scores_fall_into_the_episode_and_on_the_day_of_the_rule(registry, cohort):
    found = in_order(cohort.frame("scores"))
    pd.testing.assert_frame_equal(found, in_order(wanted(registry[1])))
    assert found["episode_id"].str.endswith("-3").any()


def test_follow_up_ends_with_the_last_record_of_the_episode(registry, cohort):
    _, episodes, scores, events = registry[1]
    told = [events.assign(episode_id="", day=""), scores]
    last = {}
    for rows in told:
        for row, (place, day, _) in zip(rows.itertuples(), expected(episodes, rows), strict=True):
            if day is not None and place is not None and day >= 0:
                key = f"E{pseudonym(row.patient_id, b'k')[1:]}-{place + 1}"
                last[key] = max(day, last.get(key, 0))
    found = cohort.frame("episodes").set_index("episode_id")["followup_end_day"].dropna()
    assert found.astype(int).to_dict() == last


@pytest.mark.parametrize("most", [0, 10**6])
def test_large_loads_do_the_same_sorted_or_not(registry, cohort, monkeypatch, most):
    monkeypatch.setattr(loading, "LARGE_EXPORT_BYTES", 0)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(canonical, "MOST_JOINED", most)
    large = load(registry[0], mapping=MAPPING, key=b"k")
    assert in_order(large.frame("scores")).equals(in_order(cohort.frame("scores")))
    rows = pd.DataFrame(large.scores.to_pyarrow().to_pylist())
    if most == 0:  # in the order of the file
        kept = wanted(registry[1])
        pairs = (f[["patient_id", "instrument", "value"]].to_numpy().tolist() for f in (rows, kept))
        assert next(pairs) == next(pairs)


def load_scores(folder, rows):
    """Scores of a patient treated on days 0 and 200 of 2018, `date,day,value` each."""
    (folder / "patients.csv").write_text("patient_id\nN1\n")
    lines = ("N1,a,VP,2018-01-01", "N1,b,KP,2018-07-20")
    head = "patient_id,episode_id,treatment,treatment_date"
    (folder / "episodes.csv").write_text("\n".join((head, *lines)) + "\n")
    head = "patient_id,episode_id,date,day,instrument,value"
    told = [f"N1,,{date},{day},odi,{value}" for date, day, value in rows]
    (folder / "scores.csv").write_text("\n".join((head, *told)) + "\n")
    (folder / "events.csv").write_text("patient_id,date,type\n")
    frame = load(folder, mapping=MAPPING, key=b"k").frame("scores").sort_values("value")
    return frame["episode_id"].str[-1].tolist(), frame["day"].tolist(), frame["value"].tolist()


def test_a_visit_thirty_days_before_belongs_to_the_next_episode_and_one_of_the_day_before_not(
    tmp_path,
):
    found = load_scores(tmp_path, [("2018-06-19", "", 1), ("2018-06-20", "", 2)])
    assert found == (["1", "2"], [169, -30], [1, 2])


def test_a_day_told_and_a_date_on_that_day_are_one_visit(tmp_path):
    found = load_scores(tmp_path, [("2018-01-31", "", 7), ("", 30, 9), ("", 31, 10)])
    assert found == (["1", "1"], [30, 31], [7, 10])
