"""`vertebro map`: proposed from headers, labels, choices and values, and fit to be loaded as it is."""

import tomllib

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.simulate.exports.export import export_registry

KEY = b"a key for tests"


@pytest.fixture(scope="module")
def cohort():
    return vo.simulate_registry(n_patients=80, seed=6)[0]


@pytest.mark.parametrize(
    "name",
    ["csv", "omop", "redcap"]
    + [pytest.param(n, marks=pytest.mark.slow) for n in ("excel", "spss", "stata")],
)
def test_a_proposal_can_be_loaded_as_it_stands(cohort, tmp_path, name):
    """Without a mapping file most of a registry is recognised; the rest is named."""
    folder = tmp_path / "clinic"
    export_registry(cohort, folder, format=name)
    (folder / "mapping.toml").unlink()
    proposal = vo.propose_mapping(folder)
    own = tmp_path / "own.toml"
    own.write_text(str(proposal), encoding="utf-8")
    assert tomllib.loads(str(proposal))["name"] == "clinic"
    lines = proposal.to_frame()
    assert list(lines.columns) == ["source", "column", "table", "target", "sure", "why"]
    assert lines["sure"].between(0, 1).all()
    loaded = vo.load(folder, mapping=own, key=KEY)
    assert loaded.synthetic
    expected = cohort.frame("episodes")["treatment"].value_counts().to_dict()
    assert loaded.frame("episodes")["treatment"].value_counts().to_dict() == expected
    if name != "omop":
        assert loaded.rejects.empty
        for table in ("patients", "levels", "events", "fractures"):
            assert len(loaded.frame(table)) == len(cohort.frame(table))
        assert len(loaded.frame("scores")) == len(cohort.frame("scores"))


def test_words_that_say_why_there_is_no_number_are_proposed(tmp_path):
    rows = [f"{n},2019-02-0{n % 9 + 1},{n % 10}" for n in range(1, 30)]
    text = "\n".join(["id,visit_date,vas", *rows, "30,2019-03-01,died", "31,2019-03-01,not asked"])
    (tmp_path / "t.csv").write_text(text + "\n")
    content = vo.propose_mapping(tmp_path / "t.csv").content
    (feed,) = (feed for feed in content["feed"] if feed["table"] == "scores")
    assert feed["columns"]["value"]["missing"] == {"died": "dead", "not asked": "not_asked"}


def test_nothing_recognised_is_an_empty_proposal(tmp_path):
    (tmp_path / "budget.csv").write_text("month,income\nJan,1\n")
    proposal = vo.propose_mapping(tmp_path / "budget.csv")
    assert proposal.content["feed"] == []
    assert [column for _, column, _ in proposal.unmapped] == ["month", "income"]
    assert "# not mapped: budget.csv: month" in str(proposal)
