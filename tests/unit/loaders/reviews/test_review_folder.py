"""Review folders: printed numbers, their signs and models, what is missing, templates."""

import pytest

import vertebro_outcomes as vo

POOLED = (
    "comparison,outcome,timepoint_label,subgroup,measure,model,"
    "estimate,ci_low,ci_high,k_studies,direction\n"
)
INPUTS = "comparison,outcome,timepoint_label,study_label,mean_t,sd_t,n_t,mean_c,sd_c,n_c,kind\n"
# Differences 0 and 2, variances 25/50 + 25/50 = 1. Common: 1 with standard error 1/sqrt(2).
# Random: Q = 2, tau2 = (2 - 1) / (2 - 2/2) = 1, standard error 1.
TWO = (
    "VP vs NSM,pain,1 month,A,4.0000,5.0000,50,4.0000,5.0000,50,\n"
    "VP vs NSM,pain,1 month,B,6.0000,5.0000,50,4.0000,5.0000,50,\n"
)
COMMON = ("1.00", "-0.39", "2.39")
RANDOM = ("1.00", "-0.96", "2.96")


def folder(path, pooled, inputs=TWO, *, header=POOLED):
    path.mkdir(parents=True, exist_ok=True)
    (path / "pooled.csv").write_text(header + pooled, encoding="utf-8-sig")
    if inputs is not None:
        (path / "inputs.csv").write_text(INPUTS + inputs, encoding="utf-8")
    return path


def row(numbers, *, model="", k="", direction="t_minus_c", measure="MD"):
    cells = ("VP vs NSM", "pain", "1 month", "", measure, model, *numbers, k, direction)
    return ",".join(cells) + "\n"


@pytest.mark.parametrize(("numbers", "model"), [(COMMON, "common"), (RANDOM, "random")])
def test_an_unstated_model_is_the_one_that_prints_the_numbers(tmp_path, numbers, model):
    found = vo.reproduce(folder(tmp_path / "r", row(numbers))).to_frame().iloc[0]
    assert (found["verdict"], found["model"]) == ("reproduced", model)
    assert found["recomputed_q"] == pytest.approx(2.0, abs=1e-12)


def test_a_wrongly_stated_model_is_reproduced_otherwise(tmp_path):
    found = vo.reproduce(folder(tmp_path / "r", row(RANDOM, model="fixed"))).to_frame().iloc[0]
    assert found["verdict"] == "reproduced_otherwise"
    assert "random effects" in found["specification"]


def test_inputs_printed_without_decimals_leave_more_open(tmp_path):
    coarse = TWO.replace(".0000", "")
    found = vo.reproduce(folder(tmp_path / "r", row(RANDOM, model="fixed"), coarse)).to_frame()
    assert found["verdict"].tolist() == ["reproduced"]
    assert "rounding" in found["reason"].iloc[0]


@pytest.mark.parametrize("direction", ["c_minus_t", "improvement_t_minus_c"])
def test_the_recomputed_number_has_the_printed_sign(tmp_path, direction):
    numbers = ("-1.00", "-2.96", "0.96")
    found = vo.reproduce(folder(tmp_path / "r", row(numbers, direction=direction))).to_frame()
    assert found["verdict"].tolist() == ["reproduced"]
    assert found["recomputed_estimate"].iloc[0] == pytest.approx(-1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("pooled", "inputs", "reason"),
    [
        (row(RANDOM, k="3"), TWO, "for 1 of 3 studies"),
        (row(RANDOM, k="5"), None, "mean, SD and n of both arms of each study (k = 5)"),
        (row(RANDOM, measure="OR"), None, "events and n"),
        (row(RANDOM, model="network"), TWO, "every trial of the network"),
        (row(("", "", "")), TWO, "the pooled estimate"),
        (row(("5", "", ""), measure="COUNT"), TWO, "count"),
        (row(RANDOM), TWO.replace(",\n", ",baseline\n"), "mean, SD and n"),
    ],
)
def test_what_is_missing_is_named(tmp_path, pooled, inputs, reason):
    found = vo.reproduce(folder(tmp_path / "r", pooled, inputs)).to_frame().iloc[0]
    assert found["verdict"] == "not_checkable"
    assert reason in found["reason"]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda path: (path / "pooled.csv").unlink(), "no such file"),
        (lambda path: (path / "pooled.csv").write_text(POOLED), "no row"),
        (lambda path: (path / "pooled.csv").write_text("a,b\n1,2\n"), "column outcome"),
        (lambda path: (path / "review.toml").write_text("= ="), "TOML"),
        (lambda path: (path / "inputs.csv").write_bytes(b"\0\1\2" * 9), "inputs.csv"),
    ],
)
def test_broken_folders_are_one_message(tmp_path, spoil, word):
    path = folder(tmp_path / "r", row(RANDOM))
    (path / "review.toml").write_text('review_id = "mine"\n')
    spoil(path)
    with pytest.raises(vo.LoadError, match=word):
        vo.reproduce(path)


def test_a_template_is_read_back_and_never_replaced(tmp_path):
    path = vo.write_extraction_template("xujc2011", tmp_path)
    assert vo.reproduce(path).counts == vo.reproduce("xujc2011").counts
    blank = (path / "inputs.csv").read_text().splitlines()[5:]
    assert len(blank) == 7  # ten effects are printed, three have their inputs
    with pytest.raises(vo.InputError, match="already there"):
        vo.write_extraction_template("xujc2011", tmp_path)


@pytest.mark.parametrize("name", ["../out", "", "a/b", ".hidden", "x" * 90])
def test_a_template_needs_a_plain_name(tmp_path, name):
    with pytest.raises(vo.InputError, match="review_id"):
        vo.write_extraction_template(name, tmp_path)
    assert not list(tmp_path.iterdir())
