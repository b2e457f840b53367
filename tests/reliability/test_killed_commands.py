"""`report` and `normalise` killed at fifty moments each: nothing partial passes for whole, a rerun repairs.

Half of the moments are drawn among the changes on disk, half among the seconds of an undisturbed run.
"""

import random
import shutil
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from tests.reliability.killing import Killer
from tests.reliability.tally import tally
from tests.reliability.test_interruption import bytes_of
from vertebro_outcomes.loaders.load import formats
from vertebro_outcomes.report.digest import inputs_of, is_current
from vertebro_outcomes.tables.storage import recover

RAW = Path(__file__).parents[2] / "data" / "raw"
FEW, MANY = 2, 50
HOW_MANY = [pytest.param(FEW, id="few"), pytest.param(MANY, id="fifty", marks=pytest.mark.slow)]
TITLES = {
    "old": '[report]\ntitle = "Old"\nsections = ["mortality"]\n',
    "new": '[report]\ntitle = "New"\nsections = ["mortality", "data-rows"]\n',
}


def moments(whole, count, seed):
    """As many by change on disk as by time, drawn over a run as long as this one."""
    draws = random.Random(seed)
    by_change = [{"change": draws.randrange(whole["changes"])} for _ in range(count // 2)]
    return by_change + [
        {"seconds": draws.uniform(0, whole["seconds"])} for _ in range(count - len(by_change))
    ]


def shown_in(folder):
    """What a reader gets: nothing hidden, such as the memory of earlier steps or a file half written."""
    return {
        name: content
        for name, content in bytes_of(folder).items()
        if not any(part.startswith(".") for part in Path(name).parts)
    }


@pytest.fixture
def killer():
    with Killer() as server:
        yield server


@pytest.mark.slow  # test_interrupted_load kills a load at named moments in every run
@pytest.mark.parametrize("count", [MANY])
def test_a_killed_load_is_old_or_new_and_the_rerun_is_new(killer, tmp_path, count):
    export, out = tmp_path / "clinic", tmp_path / "results" / "out"
    export.mkdir()
    formats()["flat"].sample(export)
    (export / "SOURCE.md").write_text("SYNTHETIC: no persons\n")
    command = ("normalise", export, "--output")
    assert killer.run(*command, tmp_path / "old")["status"] == 0
    source = export / "verlauf.csv"
    source.write_bytes(source.read_bytes().replace(b"31.02.2019", b"28.02.2019"))
    whole = killer.run(*command, tmp_path / "new")
    assert whole["status"] == 0
    old, new = bytes_of(tmp_path / "old"), bytes_of(tmp_path / "new")
    assert old != new
    killed = kept = 0
    for moment in moments(whole, count, seed=21):
        shutil.rmtree(out.parent, ignore_errors=True)
        shutil.copytree(tmp_path / "old", out)
        killed += killer.run(*command, out, **moment)["status"] < 0
        recover(out)
        assert bytes_of(out) in (old, new), moment
        kept += bytes_of(out) == old
        assert [path.name for path in out.parent.iterdir()] == ["out"], moment
        assert killer.run(*command, out)["status"] == 0
        assert bytes_of(out) == new, moment
    assert killed >= count // 2
    tally("interruptions", "load", moments=count, killed=killed, kept=kept, broken=0)


@pytest.mark.parametrize("count", HOW_MANY)
def test_a_killed_report_is_old_new_or_known_to_be_neither(killer, tmp_path, count):
    raw, out = tmp_path / "raw", tmp_path / "reports"
    shutil.copytree(RAW / "literature", raw / "literature")
    command = ["report", "--data", raw, "--notebooks", tmp_path / "none"]
    runs = {}
    for name, text in TITLES.items():
        settings = tmp_path / f"{name}.toml"
        settings.write_text(text)
        if name == "new":  # as it will be: after the old one
            shutil.copytree(tmp_path / "old", tmp_path / "new")
        runs[name] = killer.run(*command, "--settings", settings, "--output", tmp_path / name)
        assert runs[name]["status"] == 0
    old, new = (shown_in(tmp_path / name) for name in ("old", "new"))
    command += ["--settings", tmp_path / "new.toml", "--output", out]
    inputs = inputs_of(raw, settings=vo.load_settings(tmp_path / "new.toml").record())
    assert is_current(tmp_path / "new", inputs)
    assert not is_current(tmp_path / "old", inputs)
    killed = kept = 0
    for moment in moments(runs["new"], count, seed=22):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(tmp_path / "old", out)
        killed += killer.run(*command, **moment)["status"] < 0
        now = shown_in(out)
        for name, content in now.items():
            assert content in (old.get(name), new.get(name)), f"a part of {name}: {moment}"
        assert now == new or not is_current(out, inputs), moment
        kept += now == old
        assert killer.run(*command)["status"] == 0
        assert shown_in(out) == new, moment
    assert killed >= count // 2
    tally("interruptions", "report", moments=count, killed=killed, kept=kept, broken=0)
