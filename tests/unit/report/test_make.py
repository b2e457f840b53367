"""After a change only what depends on it is made again, and the bytes are those of a first run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.meta_analysis.question_list import QUESTIONS
from vertebro_outcomes.outcomes import FAMILIES
from vertebro_outcomes.report.content_hash import content_hash
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.make import make_report
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.steps import Step, Steps

RAW = Path(__file__).parents[3] / "data" / "raw"
COUNTED = ("RR", "OR", "RD", "PETO", "PLO")
SECTIONS = (
    "disability-vertebroplasty-against-sham", "mortality", "claims-examined", "the-registry", "data-rows",
)  # fmt: skip


def made(raw, output, *, sections=SECTIONS, formats=("html",)):
    settings = ReportSettings(sections=sections)
    inputs = inputs_of(raw, settings=settings.record())
    return make_report(raw, output=output, inputs=inputs, settings=settings, formats=formats)


def files_of(folder):
    """What a reader gets; the hidden folder is not part of it."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        p.as_posix(): (folder / p).read_bytes() for p in paths if not p.parts[0].startswith(".")
    }


def edit(raw, sheet, wanted, **cells):
    """Change cells of the one row that has these values."""
    path = raw / "literature" / f"{sheet}.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    hit = np.logical_and.reduce([rows[name] == value for name, value in wanted.items()])
    assert hit.sum() == 1, hit.sum()
    for name, value in cells.items():
        rows.loc[hit, name] = value
    rows.to_csv(path, index=False)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The literature without registries, written once by pandas so that an edit changes one row."""
    place = tmp_path_factory.mktemp("raw")
    shutil.copytree(RAW / "literature", place / "literature")
    for path in (place / "literature").glob("*.csv"):
        pd.read_csv(path, dtype=str, keep_default_na=False).to_csv(path, index=False)
    return place


@pytest.fixture(scope="module")
def first(raw, tmp_path_factory):
    output = tmp_path_factory.mktemp("first")
    return made(raw, output), output


@pytest.fixture
def copies(raw, first, tmp_path):
    """Data and report of the first run, to be changed."""
    shutil.copytree(raw, tmp_path / "raw")
    shutil.copytree(first[1], tmp_path / "report")
    return tmp_path / "raw", tmp_path / "report"


def sections_in(ran):
    return {name.removeprefix("section ") for name in ran if name.startswith("section ")}


def answers_in(ran):
    return {name.removeprefix("answer ") for name in ran if name.startswith("answer ")}


def test_a_first_run_runs_everything(first):
    ran = first[0]
    assert sections_in(ran) == {"lead", *SECTIONS}
    assert {"literature", "claims", "registries"} <= set(ran)
    assert not {"networks", "reproduction"} & set(ran)  # no section that is printed reads them
    assert len(answers_in(ran)) > 30
    assert len(ran) == len(set(ran))


def test_nothing_changed_nothing_runs(copies, first):
    assert made(*copies) == ()
    assert files_of(copies[1]) == files_of(first[1])


def test_a_row_touches_what_depends_on_it_and_the_bytes_are_those_of_a_first_run(copies, tmp_path):
    raw, report = copies
    edit(raw, "mcid", {"study_id": "blasco2012", "outcome": "pain_vas"}, population="adults")
    ran = made(raw, report)
    assert sections_in(ran) == {"data-rows"}
    assert not answers_in(ran)
    assert not {"claims", "registries"} & set(ran)

    edit(raw, "claims", {"claim_id": "C01"}, high="4")
    ran = made(raw, report)
    assert sections_in(ran) == {"claims-examined"}
    assert not answers_in(ran)  # they are needed, and were kept
    assert "registries" not in ran

    edit(raw, "arm_binary", {"study_id": "clark2016", "outcome": "death", "arm": "VP"}, events="2")
    ran = made(raw, report)
    assert sections_in(ran) == {"mortality", "data-rows"}
    assert answers_in(ran) == asking("death", {"VP"}, COUNTED)
    assert "registries" not in ran

    made(raw, tmp_path / "cold")
    assert files_of(report) == files_of(tmp_path / "cold")


def asking(outcome, arms, measures):
    """Questions that a row on this outcome about these arms can matter to."""
    return {
        q.id for q in QUESTIONS
        if outcome in FAMILIES[q.outcome_family] and q.measure in measures
        and arms <= {*([q.treatment] if isinstance(q.treatment, str) else q.treatment), q.comparator}
    }  # fmt: skip


def on(wanted, **cells):
    """An edit of the one row that has these values."""

    def change(rows):
        hit = np.logical_and.reduce([rows[name] == value for name, value in wanted.items()])
        assert hit.sum() == 1, hit.sum()
        for name, value in cells.items():
            assert (rows.loc[hit, name] != value).all()
            rows.loc[hit, name] = value
        return rows

    return change


def another(rows):
    """The last row again, under another outcome: a row that some question reads is added."""
    more = rows.iloc[[-1]].assign(outcome="infection", arm="VP", unit="patients")
    return pd.concat([rows, more])


CLARK = {"study_id": "clark2016", "outcome": "death", "arm": "VP"}
UNASKED = {"study_id": "clark2016", "outcome": "withdrawn", "arm": "SHAM"}
EVANS = {
    "study_id": "evans2016", "outcome": "pain_nrs", "arm": "KP", "kind": "endpoint", "timepoint_days": "30",
}  # fmt: skip
COMSTOCK = {
    "study_id": "comstock2013", "outcome": "rmdq", "timepoint_label": "1 year; intention to treat",
}  # fmt: skip
# Sheet, edit, questions that it can matter to (None: those whose answer says something else now),
# sections beside the rows themselves.
EDITS = {
    "number": ("arm_binary", on(CLARK, events="2"), asking("death", {"VP"}, COUNTED), {"mortality"}),
    "provenance only": ("arm_binary", on(CLARK, source_locator="elsewhere"), set(), set()),
    "used by none": ("arm_binary", on(UNASKED, events="1"), set(), set()),
    "mean": (
        "arm_continuous", on(EVANS, mean="3.5"), asking("pain_nrs", {"KP"}, ("MD",)),
        {"claims-examined"},
    ),
    "contrast": (
        "contrasts", on(COMSTOCK, estimate="1.4"), asking("rmdq", {"VP", "SHAM"}, ("MD",)),
        {"disability-vertebroplasty-against-sham", "claims-examined"},
    ),
    "row added": (
        "arm_binary", another, asking("infection", {"VP"}, COUNTED), {"claims-examined"},
    ),
    "last row removed": (
        "arm_binary", lambda rows: rows.iloc[:-1], asking("adjacent_fracture", {"NSM"}, COUNTED),
        set(),
    ),
    "name of a study": (
        "studies", on({"study_id": "clark2016"}, label="Clark and others 2016"), None,
        {"mortality", "disability-vertebroplasty-against-sham"},
    ),
    "pooled number": ("pooled_published", lambda rows: rows.assign(p_value=""), set(), set()),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_any_sheet_rebuilds_what_depends_on_it(copies, first, tmp_path, name):
    raw, report = copies
    sheet, change, answers, sections = EDITS[name]
    path = raw / "literature" / f"{sheet}.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
    before = files_of(report)
    ran = made(raw, report)
    after = files_of(report)
    assert sections_in(ran) == {"data-rows", *sections}
    assert answers is None or answers_in(ran) == answers & answers_in(first[0])
    assert "registries" not in ran
    assert after != before
    made(raw, tmp_path / "cold")
    assert after == files_of(tmp_path / "cold")


def test_a_section_more_builds_that_section(copies, first):
    raw, report = copies
    ran = made(raw, report, sections=(*SECTIONS, "reporting-checklists"))
    assert "reporting-checklists" in sections_in(ran)
    assert not {"mortality", "data-rows", "claims-examined"} & sections_in(ran)
    # the chart of a registry is held against a published rate
    assert answers_in(ran) <= {"complication_any_vp"}
    assert "tables/checklist_target.csv" in files_of(report)
    made(raw, report)
    assert files_of(report) == files_of(first[1])


@pytest.mark.parametrize("damage", ["part", pytest.param("record", marks=pytest.mark.slow), "base"])
def test_a_damaged_memory_is_not_believed(copies, first, damage):
    raw, report = copies
    memory = report / ".steps"
    record = json.loads((memory / "record.json").read_text())
    if damage == "part":
        kept = memory / "mortality.json"
        kept.write_text(kept.read_text().replace("Death", "Birth"))
    elif damage == "record":
        (memory / "record.json").write_text('{"base": 3, "traces"')
    else:
        (memory / "record.json").write_text(json.dumps({**record, "base": "another package"}))
    ran = made(raw, report)
    assert "mortality" in sections_in(ran)
    assert len(sections_in(ran)) == (1 if damage == "part" else len(SECTIONS) + 1)
    assert files_of(report) == files_of(first[1])


def test_the_pdf_is_kept_while_its_text_is(copies):
    raw, report = copies
    short = {"sections": ("mortality",), "formats": ("html", "pdf")}
    assert "pdf" in made(raw, report, **short)
    name = "vertebral_augmentation.pdf"
    pdf = files_of(report)[name]
    edit(raw, "mcid", {"study_id": "blasco2012", "outcome": "pain_vas"}, population="adults")
    assert "pdf" not in made(raw, report, **short)
    assert files_of(report)[name] == pdf
    (report / name).write_bytes(b"damaged")
    assert "pdf" in made(raw, report, **short)
    assert files_of(report)[name] == pdf


def test_a_step_whose_result_is_the_same_stops_the_chain():
    def steps(leaf, former=None):
        return Steps(
            steps={
                "length": Step(lambda read: (read("file"), len(leaf))[1]),
                "double": Step(lambda read: 2 * read("length")),
                "blind": Step(lambda read: read("file"), digest=None),
            }.get,
            leaves={"file": leaf},
            former=former or {},
        )  # fmt: skip

    one = steps("abc")
    assert one.value("double") == 6
    one.digest("blind")
    assert one.ran == ["length", "double", "blind"]
    two = steps("xyz", one.traces)
    assert two.digest("double") == one.digest("double")
    assert two.ran == ["length"]
    assert two.digest("blind") != one.digest("blind")
    three = steps("abcd", two.traces | one.traces)
    assert three.digest("double") != one.digest("double")
    gone = Steps(steps={"double": Step(lambda _: 1)}.get, leaves={}, former=one.traces)
    assert not gone.is_fresh("double")


def test_the_hash_tells_apart_what_reads_differently():
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": ["", None]})
    values = [
        1, 1.0, True, "1", None, [1], [1, 2], [[1], 2], {"a": 1}, {"a": 2}, np.nan, b"1",
        np.array([1, 2]), np.array([1.0, 2.0]), np.array([[1], [2]]), frame, frame.fillna(""),
        frame.iloc[:1], frame["a"], ValueError("a"), Path("a/b"), 0.1, 0.1 + 1e-17, 0.1 + 2e-17, {3},
    ]  # fmt: skip
    found = [content_hash(value) for value in values]
    assert len(set(found)) == len(values) - 1  # 0.1 + 1e-17 is 0.1
    assert content_hash(Path("x/b")) == content_hash(Path("y/b"))
    assert content_hash(np.float64(2.5)) == content_hash(2.5)
    with pytest.raises(AssertionError, match="no hash for object"):
        content_hash(object())
