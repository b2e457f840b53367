"""Numbers, dates and codes as they are written in real files."""

import ibis
import pytest

from vertebro_outcomes.loaders.cells import draft, glance, parse, same_in_all
from vertebro_outcomes.loaders.format import STAGED, Cell
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.sources import Setting
from vertebro_outcomes.loaders.words import unit_of
from vertebro_outcomes.tables.engine import embedded_engine

VALUE, AGE = STAGED["scores"]["value"], STAGED["patients"]["age_years"]
DATE, SEX = STAGED["scores"]["date"], STAGED["patients"]["sex"]
SMOKER, LEVELS = STAGED["patients"]["smoker"], STAGED["episodes"]["n_levels"]


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


def read(engine, texts, column, cell=None, setting=None):
    table = ibis.memtable({"t": texts}, schema={"t": "string"})
    parsed = parse(table.t, column, cell or Cell("t"), setting or Setting())
    out = table.select(value=parsed.value, rule=parsed.rule, why=parsed.why)
    frame = engine.to_pyarrow(out).to_pydict()
    return frame["value"], frame["rule"], frame["why"]


def test_numbers_with_commas_groups_and_signs(engine):
    texts = [
        "8,5",
        "1.234,5",
        "-0,3",
        "\N{MINUS SIGN}2",
        " 7 ",
        "1.234.567",
        "1,2,3",
        "inf",
        "nan",
        "1e3",
        "0x1",
    ]
    value, rule, _ = read(engine, texts, VALUE, Cell("t", decimal=",", thousands="."))
    assert value == [8.5, 1234.5, -0.3, -2.0, 7.0, 1234567.0, None, None, None, 1000.0, None]
    assert [r for r in rule if r] == ["not a number"] * 3
    plain, _, _ = read(engine, ["1,234.5", "12", "1,23"], VALUE, Cell("t", thousands=","))
    assert plain == [1234.5, 12.0, None]


def test_ranges_whole_numbers_and_units(engine):
    _, rule, _ = read(engine, ["-1", "121", "80"], AGE)
    assert rule == ["outside 0 to 120 years", "outside 0 to 120 years", None]
    value, rule, _ = read(engine, ["2", "2.5"], LEVELS)
    assert value[0] == 2
    assert rule == [None, "not a whole number"]
    value, _, _ = read(engine, ["24"], AGE, Cell("t", factor=1 / 12))
    assert value == [2.0]


@pytest.mark.parametrize(
    ("order", "text", "iso"),
    [
        ("iso", "2019-02-03", "2019-02-03"), ("iso", "2019-02-03T10:00:00Z", "2019-02-03"),
        ("iso", "2112-02-29", "2112-02-29"), ("day_first", "3.2.2019", "2019-02-03"),
        ("day_first", "03/02/2019", "2019-02-03"), ("day_first", "2019-02-03", "2019-02-03"),
        ("month_first", "02/03/2019", "2019-02-03"), ("compact", "20190203", "2019-02-03"),
        ("excel", "43499", "2019-02-03"), ("excel", "43499.5", "2019-02-03"),
        ("excel", "2019-02-03", "2019-02-03"),
    ],
)  # fmt: skip
def test_dates_in_every_order(engine, order, text, iso):
    value, rule, _ = read(engine, [text], DATE, Cell("t", dates=order))
    assert rule == [None]
    assert value[0].isoformat()[:10] == iso


@pytest.mark.parametrize(
    ("order", "text", "said"),
    [
        ("iso", "2019-02-31", "no such date"), ("day_first", "31.02.2019", "no such date"),
        ("day_first", "02/13/2019", "no such date"), ("iso", "2014-07", "a partial date"),
        ("iso", "2014", "a partial date"), ("iso", "1850-01-01", "not in 1900 to 2199"),
        ("iso", "soon", "no such date"), ("compact", "20191301", "no such date"),
    ],
)  # fmt: skip
def test_impossible_and_partial_dates_are_said(engine, order, text, said):
    value, rule, _ = read(engine, [text], DATE, Cell("t", dates=order))
    assert (value, rule) == ([None], [said])


def test_what_stands_for_an_open_end_is_no_date_of_an_end(engine):
    texts = ["2099-12-31", "2199-12-31", "2112-02-29", "2019-02-03", ""]
    for end in (STAGED["episodes"]["followup_end_date"], STAGED["patients"]["death_date"]):
        value, rule, _ = read(engine, texts, end)
        assert rule == ["stands for an open end"] * 2 + [None] * 3
        assert [day is None for day in value] == [True, True, False, False, True]
    value, rule, _ = read(engine, texts[:1], DATE)  # dates of de-identified exports reach there
    assert (value[0].isoformat()[:10], rule) == ("2099-12-31", [None])


def test_no_answer_is_no_amount_of_cement(engine):
    value, rule, _ = read(engine, ["88", "99", "12.5"], STAGED["episodes"]["cement_ml"])
    assert (value, rule) == ([None, None, 12.5], ["outside 0 to 80 ml"] * 2 + [None])


def test_codes_words_and_reasons_for_absence(engine):
    cell = Cell(
        "t", codes={"1": "male", "2": "female"}, absent={"-9": "not_asked", "UNK": "missing"}
    )
    texts = ["1", " 2 ", "w", "-9", "unk", "", "NA", "7", None]
    value, rule, why = read(engine, texts, SEX, cell)
    assert value == ["male", "female", "female", None, None, None, None, None, None]
    assert rule == [None] * 7 + ["not among the codes", None]
    assert why[3:5] == ["not_asked", "missing"]
    value, rule, _ = read(engine, ["ja", "0", "TRUE", "x", "2"], SMOKER)
    assert value == [True, False, True, True, None]
    assert rule[-1] == "not among the codes"


def test_blank_words_may_be_codes(engine):
    value, _, _ = read(engine, ["NA", "-"], SEX, Cell("t", codes={"NA": "other"}))
    assert value == ["other", None]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("VAS pre", 0), ("baseline_arm_1", 0), ("VAS_12mo", 365), ("VAS6m", 183), ("odi_6w", 42),
        ("month_3_arm_1", 91), ("vas_d1", 1), ("1 year", 365), ("VAS 3 Monate", 91), ("visit_2", None),
        ("enrollment_arm_1", None), ("", None),
    ],
)  # fmt: skip
def test_times_in_headers_and_visits(text, days):
    assert timepoint_days(text) == days


def test_units_in_headers():
    assert [unit_of(t) for t in ("VAS (mm)", "cement [ml]", "cement_ml", "VAS")] == [
        "mm",
        "ml",
        "ml",
        "",
    ]


@pytest.mark.parametrize("header", ["EVA avant", "dolor antes", "NRS voor", "VAS vor OP"])
def test_the_baseline_in_other_languages(header):
    assert timepoint_days(header) == 0


TEXTS = (
    *("5", "-5", "+5", "+-5", " +-5", "5.", ".5", "-.5", ".", "5,5", "1_0", "1e3", "-1E3", "1e999"),
    *(
        "inf",
        "-inf",
        "-nan",
        "-Infinity",
        "nan",
        "5d",
        "0x1",
        "1e1_0",
        " 7",
        "7 ",
        "7\t",
        "\n7",
        "--7",
        "5-",
        "",
        " ",
        "5/10",
    ),
    *("2019-02-03", " 2019-2-3 ", "2019-02-30", "20190203  ", "2019-02-03T10:00", "2019/02/03"),
    *("f", "F", " f", "Female", "W", "1", "yes", "YES", "no ", "(f)", "f|m"),
)


@pytest.mark.parametrize("column", [VALUE, AGE, DATE, SEX, SMOKER, LEVELS], ids=lambda c: c.name)
def test_a_glance_says_what_a_closer_look_says(engine, column):
    table = ibis.memtable({"t": TEXTS}, schema={"t": "string"})
    looked = Cell("t"), Setting()
    quick = [glance(table.t, column, *looked, usual=TEXTS, strict=s) for s in (False, True)]
    said = {"loose": quick[0], "strict": quick[1], "slow": draft(None, table.t, column, *looked)}
    shown = table.select(**{kind: value.cast("string") for kind, value in said.items()})
    rows = engine.to_pyarrow(shown).to_pylist()
    for kind in ("loose", "strict"):
        seen = [row for row in rows if row[kind] is not None]
        assert seen
        assert [row[kind] for row in seen] == [row["slow"] for row in seen]


def test_what_stands_for_every_row_is_read_as_in_a_cell(engine):
    table = ibis.memtable({"n": [1]})
    made = table.select(
        sex=same_in_all(" W ", SEX, Cell(), Setting()),
        smoker=same_in_all("nein", SMOKER, Cell(), Setting()),
        unknown=same_in_all("nobody", SEX, Cell(), Setting()),
        absent=same_in_all("1", SMOKER, Cell(absent={"1": "not_asked"}), Setting()),
        value=same_in_all("8.5", VALUE, Cell(), Setting()),
    )
    found = engine.to_pyarrow(made).to_pylist()[0]
    assert found == {
        "sex": "female",
        "smoker": False,
        "unknown": None,
        "absent": None,
        "value": 8.5,
    }


def test_codes_may_hold_signs_of_patterns(engine):
    codes = {"(a|b)": "VP", "x.y": "VP", "[1]": "KP", "a\\d": "KP", "*": "KP"}
    column = STAGED["episodes"]["treatment"]
    texts = ["(A|b)", "a", "b", "x.y", "xzy", "[1]", "1", "a\\D", "a5", "*", "vp"]
    value, rule, _ = read(engine, texts, column, Cell("t", codes=codes))
    assert value == ["VP", None, None, "VP", None, "KP", None, "KP", None, "KP", "VP"]
    assert rule.count("not among the codes") == value.count(None)
