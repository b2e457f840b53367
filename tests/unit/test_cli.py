"""Commands as a user types them: what they print, where, and the exit status."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from vertebro_outcomes.cli import main
from vertebro_outcomes.report import digest

TRIALS = """study,events_t,n_t,events_c,n_c
Buchbinder 2009,3,38,4,40
Kallmes 2009,5,68,6,63
Nobody 2010,0,10,0,11
"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def vertebro(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vertebro", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        return Done(int(stop.value.code or 0), said.out, said.err)

    return run


def test_pool(vertebro, tmp_path):
    (tmp_path / "trials.csv").write_text(TRIALS)
    done = vertebro("pool", "trials.csv", "--measure", "RR", "--dialect", "revman5")
    assert done.returncode == 0, done.stderr
    # metafor: rma(measure="RR", ai=c(3,5), n1i=c(38,68), ci=c(4,6), n2i=c(40,63), method="DL")
    assert done.stdout.startswith("risk ratio 0.78 (0.32 to 1.90)")
    assert "left out: Nobody 2010" in done.stdout
    assert done.stderr == ""


def test_pool_as_csv(vertebro, tmp_path):
    (tmp_path / "trials.csv").write_text(TRIALS)
    done = vertebro("pool", "trials.csv", "--measure", "RR", "--csv")
    header, row = done.stdout.splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["scale"] == "natural"


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (None, ["--measure", "RR"], "no such file"),
        ("", ["--measure", "RR"], "no header"),
        ("study,events_t\n", ["--measure", "RR"], "no rows"),
        ("a,b\n1,2,3,4\n1,2\n1,2,3,4,5,6\n", ["--measure", "RR"], "b.csv: nothing was loaded"),
        (b"\xff\xfe\x00bad", ["--measure", "RR"], "UTF-8"),
        (TRIALS, ["--measure", "XX"], "XX"),
        (TRIALS, ["--measure", "MD"], "mean_t"),
        (TRIALS.replace("68", "lots"), ["--measure", "RR"], "column n_t"),
        (TRIALS, ["--measure", "RR", "--method", "BEST"], "BEST"),
        (TRIALS, ["--measure", "RR", "--level", "95"], "level"),
        (TRIALS, ["--measure", "RR", "--dialect", "excel"], "excel"),
        (TRIALS, [], "--measure"),
        (TRIALS, ["--measure", "RR", "--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_ends_in_one_message(vertebro, tmp_path, content, arguments, says):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "b.csv").write_bytes(data)
    done = vertebro("pool", "b.csv", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path) not in done.stderr  # paths as they were typed


def test_a_folder_is_no_table(vertebro, tmp_path):
    (tmp_path / "b.csv").mkdir()
    done = vertebro("pool", "b.csv", "--measure", "RR")
    assert (done.returncode, "a folder" in done.stderr) == (2, True)


@pytest.mark.parametrize("command", ["report", "data"])
def test_without_raw_data_there_is_a_next_step(vertebro, tmp_path, command):
    done = vertebro(command)
    assert done.returncode == 2
    assert "data/raw" in done.stderr
    assert "Next:" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["report", "extra"]])
def test_usage_errors(vertebro, arguments):
    assert vertebro(*arguments).returncode == 2


def test_the_module_runs_like_the_command(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "vertebro_outcomes", "pool", "none.csv"]
    done = subprocess.run(
        [*command, "--measure", "RR"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("none.csv: nothing was loaded")


def test_help_lists_the_commands_and_is_quick(vertebro):
    done = vertebro("--help")
    assert done.returncode == 0
    for command in ("report", "data", "pool"):
        assert f"  {command} " in done.stdout
    script = "import sys, vertebro_outcomes.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "numpy", "scipy", "matplotlib", "rich"} & set(loaded)


RAW = Path(__file__).parents[2] / "data" / "raw"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The raw data in an empty folder, and a package that does not change meanwhile."""
    source = tmp_path / "package"
    source.mkdir()
    monkeypatch.setattr(digest, "_PACKAGE", source)
    shutil.copytree(RAW, tmp_path / "data" / "raw")
    return tmp_path


def test_report_then_nothing_to_do_then_again_after_a_change(vertebro, project):
    shutil.rmtree(project / "data" / "raw" / "registries")
    first = vertebro("report")
    assert (first.returncode, first.stdout) == (0, "reports/ is written\n")
    assert all(line.endswith((" s", " ...")) for line in first.stderr.splitlines())
    assert first.stderr.splitlines()[-1].endswith(" s")
    assert (project / "reports" / "vertebral_augmentation.html").is_file()
    assert vertebro("report").stdout == "reports/ is up to date\n"
    (project / "reports" / "provenance.json").write_text("{}")
    assert vertebro("report").stdout == "reports/ is written\n"


def test_a_place_that_cannot_be_written_ends_in_one_message(vertebro, project):
    (project / "taken").write_text("")
    done = vertebro("data", "--output", "taken")
    assert done.returncode == 2
    said = done.stderr.splitlines()
    assert said[-3] == "taken: cannot be used"
    assert said[-1].startswith("  Next:")
    assert "Traceback" not in done.stderr


def test_data_gives_the_same_bytes_again(vertebro, project):
    shutil.rmtree(project / "data" / "raw" / "registries")

    def tables():
        return {p.name: p.read_bytes() for p in (project / "data/processed").rglob("*.parquet")}

    assert vertebro("data").stdout == "data/processed/ is written\n"
    first = tables()
    assert len(first) == 11
    assert vertebro("data").stdout == "data/processed/ is up to date\n"
    shutil.rmtree(project / "data" / "processed")
    vertebro("data")
    assert tables() == first


@pytest.mark.parametrize(
    ("sheet", "change", "says"),
    [
        ("arm_binary.csv", None, ["arm_binary.csv", "no such file"]),
        ("arm_binary.csv", ("VP,3,38", "VP,three,38"), ["line 2", "events", "three"]),
        ("arm_binary.csv", ("VP,3,38", "XX,3,38"), ["line 2", "arm", "XX", "SHAM"]),
    ],
)
def test_broken_raw_data_end_in_one_message(vertebro, project, sheet, change, says):
    path = project / "data" / "raw" / "literature" / sheet
    if change is None:
        path.unlink()
    else:
        text = path.read_text(encoding="utf-8")
        assert change[0] in text
        path.write_text(text.replace(*change, 1), encoding="utf-8")
    done = vertebro("report")
    assert done.returncode == 2
    assert all(word in done.stderr for word in says)
    assert "Traceback" not in done.stderr
    assert not (project / "reports").exists()
