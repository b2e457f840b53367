"""What must not be lost, nor made up: leaks beside blank cells, visits without a value, `Keine`."""

import pytest

from vertebro_outcomes.loaders.codes import code_sets
from vertebro_outcomes.loaders.event_days import RowDates
from vertebro_outcomes.loaders.event_words import events_in, says_none
from vertebro_outcomes.loaders.level_cells import NO_LEVEL
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.proposed_entries import absences, propose_codes
from vertebro_outcomes.loaders.proposed_leaks import leak_feeds
from vertebro_outcomes.loaders.proposed_levels import side_by_side
from vertebro_outcomes.loaders.proposed_units import by_unit
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.tables.engine import embedded_engine
from vertebro_outcomes.tables.event_types import EVENT_TYPES

KEY = b"kept"


def of_person(cohort, table, *columns):
    """{identifier as written: rows}, each row the columns asked for."""
    names = {pseudonym(str(n), KEY): n for n in range(1, 20)}
    found = {}
    for row in cohort.frame(table).itertuples():
        cells = tuple(
            None if str(v) in ("<NA>", "nan", "None") else v
            for v in (getattr(row, c) for c in columns)
        )
        found.setdefault(names[row.patient_id], set()).add(cells)
    return found


def source_of(*rows):
    header, *cells = [row.split(",") for row in rows]
    lines = list(range(len(cells)))
    return source_from_rows(embedded_engine(), "t", header=header, rows=cells, lines=lines)


NAMED = """\
patient_id,treatment,procedure_date,cement_t12,leak_t12,cement_l1,leak_l1
1,KP,2019-02-03,3.5,disc,,epidural
2,VP,2019-02-03,,none,4,venous
3,VP,2019-02-03,2,yes,,yes
4,VP,2019-02-03,2,no,,
"""


def test_a_leak_is_kept_where_the_cement_of_its_vertebra_is_blank(tmp_path):
    (tmp_path / "t.csv").write_text(NAMED)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "levels", "level", "cement_ml", "leakage") == {
        1: {("T12", 3.5, "disc"), ("L1", None, "epidural")},
        2: {("L1", 4, "venous")},  # no leak at T12 says nothing of a vertebra that is not there
        3: {("T12", 2, None)},
        4: {("T12", 2, "none")},
    }
    assert of_person(cohort, "events", "type", "day", "level") == {
        1: {("cement_leakage_disc", 0, "T12"), ("cement_leakage_epidural", 0, "L1")},
        2: {("cement_leakage_venous", 0, "L1")},
        3: {("cement_leakage", 0, "T12"), ("cement_leakage", 0, "L1")},
    }
    assert cohort.rejects.empty
    assert cohort.accounting.iloc[0, 1:].tolist() == [4, 4, 0, 0]


NUMBERED = """\
patient_id,treatment,procedure_date,level_1,cement_1,leakage_1,level_2,cement_2,leakage_2
1,KP,2019-02-03,T12,3.5,disc,L1,,epidural
2,VP,2019-02-03,L2,4,none,,,venous
3,VP,2019-02-03,L2,4,none,,3,none
4,VP,2019-02-03,L2,4,1,L3,,1
5,VP,2019-02-03,L2,4,0,,,0
"""


@pytest.mark.slow
def test_what_is_told_of_a_vertebra_without_a_name_is_rejected_not_lost(tmp_path):
    (tmp_path / "t.csv").write_text(NUMBERED)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "levels", "level", "cement_ml", "leakage") == {
        1: {("T12", 3.5, "disc"), ("L1", None, "epidural")},
        2: {("L2", 4, "none")}, 3: {("L2", 4, "none")}, 5: {("L2", 4, "none")},
        4: {("L2", 4, None), ("L3", None, None)},
    }  # fmt: skip
    assert of_person(cohort, "events", "type", "level") == {
        1: {("cement_leakage_disc", "T12"), ("cement_leakage_epidural", "L1")},
        4: {("cement_leakage", "L2"), ("cement_leakage", "L3")},
    }
    rejects = cohort.rejects[["line", "column", "rule"]].to_numpy().tolist()
    assert rejects == [[3, "level_2", NO_LEVEL], [4, "level_2", NO_LEVEL]]


def test_leaks_beside_vertebrae_are_proposed():
    source = source_of(
        "id,level_1,cement_1,leakage_1,level_2,cement_2,leakage_2",
        "1,T12,3,Bandscheibe,L1,0,2", "2,L1,2,ja,,,1", "3,L1,2,nein,,,0",
    )  # fmt: skip
    levels = side_by_side(source, {"patient_id": {"column": "id"}}, set())
    made = leak_feeds(source, levels, RowDates("id", None, {}))
    assert [(feed["table"], feed["where"]) for feed in made] == [
        ("events", {"leakage_1": ["ja"]}),
    ]  # codes 0, 1, 2 without labels are not guessed


def test_no_leak_may_be_written_as_a_number():
    made = side_by_side(source_of("id,leak_t12,leak_l1", "1,0,1", "2,1,0"), {}, set())
    assert [feed["columns"]["leakage"] for feed in made] == [
        {"column": c, "codes": {"0": "none"}, "missing": {"1": "missing"}}
        for c in ("leak_t12", "leak_l1")
    ]


GONE = ["lost to follow-up", "LTFU", "not done", "declined", "perdu de vue", "verweigert", ""]


@pytest.mark.slow
def test_words_instead_of_a_score_do_not_extend_follow_up(tmp_path):
    head = "patient_id,treatment,procedure_date,vas_baseline,vas_3m,vas_12m\n"
    rows = [f"{n},KP,2019-02-03,8,3,{said}\n" for n, said in enumerate([*GONE, *range(9)], 1)]
    (tmp_path / "t.csv").write_text(head + "".join(rows))
    cohort = load(tmp_path, key=KEY)
    ends = {n: {(91,)} for n in range(1, 8)} | {n: {(365,)} for n in range(8, 17)}
    assert of_person(cohort, "episodes", "followup_end_day") == ends
    states = {n: said for n, said in of_person(cohort, "scores", "day", "status").items() if n < 7}
    assert {n: said - {(0, "observed"), (91, "observed")} for n, said in states.items()} == {
        n: {(365, "not_asked" if n == 3 else "missing")} for n in range(1, 7)
    }
    assert cohort.rejects.empty


LONG = """\
patient_id,date,instrument,value
1,2019-02-03,VAS,8
1,2020-02-03,VAS,LTFU
2,2019-02-03,VAS,8
2,2019-05-03,VAS,5
2,2021-03-03,VAS,4
2,2022-03-03,VAS,refused
2,2022-03-03,ODI,
"""


@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
def test_dated_scores_without_a_value_do_not_extend_follow_up(tmp_path, several):
    again = "2,KP,2021-03-02\n" if several else ""
    (tmp_path / "p.csv").write_text(
        f"patient_id,treatment,procedure_date\n1,KP,2019-02-03\n2,VP,2019-02-03\n{again}"
    )
    (tmp_path / "s.csv").write_text(LONG)
    cohort = load(tmp_path, key=KEY)
    ends = {(89,), (1,)} if several else {(759,)}
    assert of_person(cohort, "episodes", "followup_end_day") == {1: {(0,)}, 2: ends}
    assert len(cohort.frame("scores")) == 7


@pytest.mark.parametrize(
    ("said", "why"),
    [("Lost to follow-up", "missing"), ("lost to FU", "missing"), ("L.T.F.U.", "missing"),
     ("drop-out", "missing"), ("withdrawn", "missing"), ("nicht erschienen", "missing"),
     ("abgelehnt", "missing"), ("perdida de seguimiento", "missing"), ("rifiutato", "missing"),
     ("niet afgenomen", "not_asked"), ("non réalisé", "not_asked"), ("ikke utført", "not_asked"),
     ("lost 3 kg", None), ("7", None)],
)  # fmt: skip
def test_words_for_no_score(said, why):
    assert absences({said: said}) == ({said: why} if why else {})


NONE = ("Keine", "Nenhuma", "Aucune", "Ingen", "Nessuna", "Geen", "brak", "none", "Não")


@pytest.mark.slow
@pytest.mark.parametrize("mapped", [False, True])
def test_no_complication_in_any_language_is_no_event(tmp_path, mapped):
    (tmp_path / "p.csv").write_text(
        "patient_id,treatment,procedure_date\n" + "".join(f"{n},VP,2019-02-01\n" for n in range(1, 12))
    )  # fmt: skip
    told = [*NONE, "Infektion", "Verwirrt"]
    rows = [f"{n},2019-03-{n:02},{said}\n" for n, said in enumerate(told, 1)]
    (tmp_path / "k.csv").write_text("patient_id,event_date,complication\n" + "".join(rows))
    kind = {"column": "complication", "codes": {"Infektion": "infection"}}
    columns = {"patient_id": "patient_id", "date": "event_date", "type": kind}
    dates = {"patient_id": "patient_id", "treatment_date": "procedure_date"}
    feeds = [
        {"source": "k.csv", "table": "events", "columns": columns},
        {"source": "p.csv", "table": "episodes", "columns": dates},
    ]
    cohort = load(tmp_path, key=KEY, mapping={"feed": feeds} if mapped else None)
    assert of_person(cohort, "events", "type", "day") == {10: {("infection", 37)}}
    assert cohort.rejects[["line", "rule"]].to_numpy().tolist() == [[12, "not among the codes"]]
    assert cohort.accounting.set_index("source_file").loc["k.csv"].tolist() == [11, 1, 1, 9]


def test_what_says_that_nothing_happened():
    for said in ("Keine Komplikationen", "no complications", "Sin complicaciones", "uneventful",
                 "No post-op complications", "brak powikłań", "Nein", "0"):  # fmt: skip
        assert says_none(said), said
    for said in ("no infection", "infection", "none of the staff saw it", "10", "unknown"):
        assert not says_none(said), said
    values = ["fever", "Keine", "?"]
    assert propose_codes("type", tuple(EVENT_TYPES), values, {}) == ({}, 0.5)
    labels = {"0": "None", "1": "Fever"}
    codes, fits = propose_codes("type", tuple(EVENT_TYPES), ["0", "1"], labels)
    assert (codes, fits) == ({"1": "fever"}, 1.0)


def test_own_codes_of_scores_come_beside_the_shipped_ones():
    shipped = code_sets()
    code = next(iter(shipped.scores))
    own = code_sets({"scores": {"PAIN-7": "pain_nrs", code: "odi"}})
    assert own.scores == {**shipped.scores, code: "odi", "PAIN7": "pain_nrs"}
    assert own.procedures == shipped.procedures
    assert own.fractures == shipped.fractures


UNITS = [
    ("VAS", 80, "mm"),
    ("VAS", 7, "cm"),
    ("VAS", 9, "MM"),
    ("VAS", 5, ""),
    ("VAS", 65, ""),
    ("ODI", 44, "%"),
]


@pytest.mark.slow
def test_scores_in_millimetres_and_centimetres_in_one_column(tmp_path):
    people = range(1, len(UNITS) + 1)
    (tmp_path / "p.csv").write_text(
        "patient_id,treatment,procedure_date\n" + "".join(f"{n},KP,2019-02-03\n" for n in people)
    )
    rows = [f"{n},2019-02-03,{i},{v},{u}\n" for n, (i, v, u) in zip(people, UNITS, strict=True)]
    (tmp_path / "s.csv").write_text("patient_id,visit_date,instrument,value,unit\n" + "".join(rows))
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "scores", "instrument", "value", "scale_raw") == {
        1: {("pain_vas", 8.0, "0-100")}, 2: {("pain_vas", 7.0, "0-10")}, 3: {("pain_vas", 0.9, "0-100")},
        4: {("pain_vas", 5.0, "0-10")}, 6: {("odi", 44.0, "0-100")},
    }  # fmt: skip
    assert cohort.rejects[["line", "rule"]].to_numpy().tolist() == [
        [6, "off the scale 0-10 of pain_vas"]
    ]
    assert cohort.unmapped.empty
    assert cohort.accounting.set_index("source_file").loc["s.csv"].tolist() == [6, 5, 1, 0]


def test_a_column_of_other_units_changes_nothing():
    feed = {"source": "t", "table": "scores", "columns": {}, "scales": {"pain_vas": [0, 100]}}
    assert by_unit(source_of("id,unit", "1,points"), feed) == [feed]
    assert by_unit(source_of("id,value", "1,7"), feed) == [feed]
    whole = by_unit(source_of("id,Einheit", "1,mm"), feed)
    assert [part["where"] for part in whole] == [{"Einheit": ["mm"]}, {"Einheit": [""]}]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [("fever, infection", ("fever", "infection")), ("Fieber und Infektion", ("fever", "infection")),
     ("rib fracture; haematoma", ("rib_fracture", "haematoma")),
     ("cement leakage, disc", ("cement_leakage_disc",)), ("haematoma/bleeding", ("haematoma",)),
     ("pulmonary embolism, cement", ("pulmonary_cement_embolism",)), ("E. coli infection", ("infection",)),
     ("infection, treated with antibiotics", ("infection",)), ("no fever, no infection", ())],
)  # fmt: skip
def test_complications_listed_in_one_cell(said, kinds):
    assert events_in(said) == kinds


LISTS = """\
patient_id,treatment,procedure_date,complications,complication date,complication_2
1,KP,2019-02-03,"fever, infection",2019-02-05,
2,VP,2019-02-03,rib fracture; haematoma,2019-02-07,pneumonia + thrombosis
3,VP,2019-02-04,none,,
4,VP,2019-02-04,infection,,fever
"""


def test_every_complication_that_a_cell_lists_is_an_event(tmp_path):
    (tmp_path / "t.csv").write_text(LISTS)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {
        1: {("fever", 2), ("infection", 2)},
        2: {("rib_fracture", 4), ("haematoma", 4), ("pneumonia", None), ("thrombosis", None)},
        4: {("infection", None), ("fever", None)},
    }
    assert cohort.rejects.empty
    assert cohort.accounting.iloc[0, 1:].tolist() == [4, 4, 0, 0]
