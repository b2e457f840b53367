"""Used, rejected and ignored rows are counted each for itself: a row lost on the way is noticed."""

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.loaders import accounts, assembly, canonical, records, staging
from vertebro_outcomes.loaders.load import check, load

PATIENTS = "id,arm,op,vas\nA,VP,2020-01-01,7\nB,KP,2020-02-01,\nC,NSM,2020-03-01,5\n"
SCORES = """\
id,kind,day,what,value
A,score,30,pain_vas,3
A,score,30,pain_vas,3
A,score,30,pain_vas,4
B,score,30,pain_vas,nonsense
B,score,90,pain_vas,
C,letter,30,,
,,,,
Z,score,30,pain_vas,2
A,event,5,infection,
"""
MAPPING = {
    "name": "clinic",
    "feed": [
        {
            "source": "patients.csv",
            "table": "patients",
            "columns": {"patient_id": "id"},
        },
        {
            "source": "patients.csv",
            "table": "episodes",
            "columns": {"patient_id": "id", "treatment": "arm", "treatment_date": "op"},
        },
        {
            "source": "scores.csv",
            "table": "scores",
            "where": {"kind": ["score"]},
            "needs": ["value"],
            "columns": {
                "patient_id": "id",
                "instrument": {"constant": "pain_vas"},
                "day": "day",
                "value": "value",
            },
        },
        {
            "source": "scores.csv",
            "table": "events",
            "where": {"kind": ["event"]},
            "columns": {"patient_id": "id", "type": "what", "day": "day"},
        },
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "patients.csv").write_text(PATIENTS)
    (tmp_path / "scores.csv").write_text(SCORES)
    (tmp_path / "notes.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    return tmp_path


def test_every_row_has_one_fate_and_every_ignored_row_a_rule(folder):
    cohort = load(folder, mapping=MAPPING, key=b"k")
    counts = {row[0]: tuple(row[1:]) for row in cohort.accounting.to_numpy().tolist()}
    assert counts == {
        "notes.csv": (2, 0, 0, 2),
        "patients.csv": (3, 3, 0, 0),
        # used: the first score and the event; rejected: another value, nonsense, a stranger
        "scores.csv": (9, 2, 3, 4),
    }
    assert {tuple(row) for row in cohort.ignored.to_numpy().tolist()} == {
        ("notes.csv", accounts.NOT_MAPPED, 2),
        ("scores.csv", accounts.REPEATS, 1),
        ("scores.csv", accounts.NOT_FILLED, 1),
        ("scores.csv", accounts.NOT_MEANT, 1),
        ("scores.csv", "blank line", 1),
    }


def test_a_check_says_why_rows_are_ignored(folder):
    said = str(check(folder, mapping=MAPPING, key=b"k"))
    assert f"ignored: scores.csv, 1 rows: {accounts.REPEATS}" in said


def test_the_rules_survive_a_round_trip_and_an_older_folder_lacks_them(folder, tmp_path):
    cohort = load(folder, mapping=MAPPING, key=b"k")
    out = cohort.write(tmp_path / "out")
    assert vo.load(out).ignored.to_numpy().tolist() == cohort.ignored.to_numpy().tolist()
    (out / "ignored.csv").unlink()
    assert vo.load(out).ignored.empty


def one_less(function, place):
    """The same step, but the table it gives has lost its last row in the order of lines."""

    def losing(*given, **named):
        found = function(*given, **named)
        table = found[place] if place is not None else found
        if "value" not in table.columns:
            return found
        last = table.filter(table["_line"] == 2)
        short = table.anti_join(last.select("_line"), "_line")
        return short if place is None else (short, *found[1:])

    return losing


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (assembly, "attach"),
        (assembly, "resolve_duplicates"),
        (assembly, "statuses"),
        (canonical, "with_pseudonyms"),
        (records, "_whole"),
    ],
)
def test_a_record_lost_between_two_steps_is_noticed(folder, monkeypatch, module, step):
    monkeypatch.setattr(module, step, one_less(getattr(module, step), None))
    with pytest.raises(AssertionError, match=r"scores.csv: 5 records of scores, but \d used"):
        load(folder, mapping=MAPPING, key=b"k")


def test_a_row_lost_while_the_file_is_read_is_noticed(folder, monkeypatch):
    monkeypatch.setattr(staging, "with_levels", lambda _, rows, __: rows.limit(2))
    with pytest.raises(AssertionError, match=r"patients.csv: 3 rows were read, and 2 became"):
        load(folder, mapping=MAPPING, key=b"k")


def test_a_row_counted_as_used_and_as_ignored_is_noticed(folder, monkeypatch):
    twice = {accounts.NOT_FILLED: 2}
    monkeypatch.setattr(accounts, "_passed_over", lambda *_: twice)
    with pytest.raises(
        AssertionError, match=r"scores\.csv: 9 rows in, but 2 used, 3 rejected and 3"
    ):
        load(folder, mapping=MAPPING, key=b"k")


def test_one_feed_alone_and_a_file_whose_rows_are_all_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,arm,op\nA,VP,2020-01-01\n,KP,2020-01-01\nC,,\n")
    feed = {"table": "episodes", "needs": ["treatment", "treatment_date"]}
    columns = {"patient_id": "id", "treatment": "arm", "treatment_date": "op"}
    mapping = {"name": "t", "feed": [{**feed, "columns": columns}]}
    cohort = load(path, mapping=mapping, key=b"k")
    assert cohort.accounting.iloc[0, 1:].tolist() == [3, 1, 1, 1]
    path.write_text("id,arm,op\n,VP,2020-01-01\n,KP,2020-01-01\n")
    levels = {"table": "levels", "columns": {"patient_id": "id", "level": "op"}}
    cohort = load(path, mapping={**mapping, "feed": [*mapping["feed"], levels]}, key=b"k")
    assert cohort.accounting.iloc[0, 1:].tolist() == [2, 0, 2, 0]
