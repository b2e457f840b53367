"""Checklists: no empty item, no item twice, and an empty one stops the build."""

import pytest

from vertebro_outcomes.report.checklists import CHECKLISTS, Checklist, Item
from vertebro_outcomes.report.sections import checklists


@pytest.mark.parametrize("checklist", CHECKLISTS, ids=lambda c: c.name)
def test_every_item_has_one_answer(checklist):
    assert checklist.empty() == []
    topics = [item.topic for item in checklist.items]
    assert len(topics) == len(set(topics))


def test_prisma_and_strobe_are_whole():
    numbers = {c.name: [i.number for i in c.items] for c in CHECKLISTS}
    assert numbers["PRISMA 2020"] == [str(n) for n in range(1, 28)]
    assert numbers["STROBE and RECORD"][:22] == [str(n) for n in range(1, 23)]
    # the items RECORD extends, PLoS Med 12:e1001885, table 1
    assert numbers["STROBE and RECORD"][22:] == ["R1", "R6", "R7", "R12", "R13", "R19", "R22"]
    sections = ["abstract", "introduction", "methods", "results", "discussion", "other information"]
    assert list(dict.fromkeys(numbers["TARGET"])) == sections  # numbers are not given: not verified


def test_what_is_not_done_is_not_called_inapplicable():
    said = {item.because.partition(":")[0] for c in CHECKLISTS for item in c.items if item.because}
    assert said == {
        "not done", "not applicable", "to be stated by whoever publishes it",
        "to be stated by whoever publishes a report made with this software",
        "to be published with the report",
    }  # fmt: skip


@pytest.mark.parametrize("item", [Item("1", "x"), Item("1", "x", "a", "b")])
def test_an_empty_item_stops_the_build(monkeypatch, item):
    broken = Checklist("X", "literature", "s", (item,))
    assert broken.empty() == ["X 1 x"]
    monkeypatch.setattr(checklists, "CHECKLISTS", (broken,))
    with pytest.raises(AssertionError, match="X 1 x"):
        checklists.build(None)
