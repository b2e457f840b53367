"""Readers under inputs that are bred for the lines they reach; a right result or one of our messages."""

import random

import pytest

from tests.reliability.guided import Reached, bred
from tests.reliability.mutations import damaged
from tests.reliability.readers import MESSAGES, sample, settled
from tests.reliability.tally import tally
from tests.unit.loaders.reviews.packages import package, zipped
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.report.settings_file import load_settings

COUNT = [40, pytest.param(4000, marks=pytest.mark.slow)]
SETTINGS = b"""[report]
title = "Ours"
leave_out = ["mortality"]
[margins]
pain_vas = 1.5
[disclosure]
largest_hidden = 10
[registry]
outcomes = ["pain_vas"]
day = 30
[[registry.strategies]]
treatment = "VP"
comparator = "NSM"
method = "ancova"
"""


def file_reader(call, path):
    def read(data: bytes) -> None:
        path.write_bytes(data)
        settled(call, path)

    return read


def one_member(data: bytes, draws: random.Random) -> bytes:
    """A zip damaged in one of its files now and then, else as bytes."""
    if draws.random() < 0.3:
        return damaged(data, draws)
    files = package()
    name = draws.choice(sorted(files))
    return zipped({**files, name: damaged(files[name], draws)})


@pytest.mark.parametrize("count", COUNT)
@pytest.mark.parametrize("name", ["mapping TOML", "settings", "rm5", "zip of RevMan"])
def test_bred_inputs_get_a_result_or_a_message(name, count, tmp_path):
    call, file, seed, damage, parts = {
        "mapping TOML": (read_mapping, "mapping.toml", sample("mapping.toml"), damaged,
                    ("loaders/mapping", "loaders/limits", "tables/instruments")),
        "settings": (load_settings, "vertebro.toml", SETTINGS, damaged, ("report/settings",)),
        "rm5": (read_review, "review.rm5", sample("review.rm5"), damaged, ("loaders/reviews",)),
        "zip of RevMan": (read_review, "package.zip", zipped(package()), one_member,
                          ("loaders/reviews",)),
    }[name]  # fmt: skip
    MESSAGES.clear()
    read = file_reader(call, tmp_path / file)
    steps = list(bred([seed], damage, read, parts=parts, count=count, seed=name))
    assert steps[-1][0] > steps[0][0]
    assert steps[-1][1] > 1
    if count > 1000:
        tally("broken files", f"{name}, bred by coverage", inputs=count, refused=len(MESSAGES),
              result=count - len(MESSAGES))  # fmt: skip


def test_lines_are_counted_where_they_are_asked_for(tmp_path):
    (tmp_path / "a.toml").write_text("[report]\n")
    with Reached("report/settings_file") as reached:
        load_settings(tmp_path / "a.toml")
    assert {code.co_filename.rsplit("/", 1)[1] for code, _ in reached.lines} == {"settings_file.py"}
