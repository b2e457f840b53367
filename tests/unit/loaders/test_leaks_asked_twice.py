"""Whether there was a leak in one column and where to in the next; several places in one cell."""

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym

KEY = b"leaks"
HEAD = "patient_id,treatment,procedure_date,"


def leaks(folder, header, *rows):
    """The site of each person's vertebra, and each person's events, by their number."""
    lines = [f"{n},VP,2019-02-03,{row}" for n, row in enumerate(rows, start=1)]
    (folder / "t.csv").write_text("\n".join([HEAD + header, *lines]) + "\n")
    cohort = load(folder, key=KEY)
    names = {pseudonym(str(n), KEY): n for n in range(1, len(rows) + 1)}
    levels, events = cohort.frame("levels"), cohort.frame("events").sort_values("type")
    sites = {names[x.patient_id]: x.leakage for x in levels.dropna(subset="leakage").itertuples()}
    told: dict[int, list[str]] = {}
    for event in events.itertuples():
        told.setdefault(names[event.patient_id], []).append(
            event.type.removeprefix("cement_leakage")
        )
    return sites, told, cohort


def test_the_place_is_read_and_what_it_does_not_say(tmp_path):
    rows = (
        "T12,y,disc",
        "L1,n,",
        "L2,y,",
        "L3,y,unknown",
        "L4,n,none",
        "L5,y,none",
        'L5,y,"disc, vein"',
    )
    sites, told, cohort = leaks(tmp_path, "level,leak (y/n),leak site", *rows)
    assert sites == {1: "disc", 2: "none", 5: "none", 6: "none"}
    assert told == {1: ["_disc"], 3: [""], 4: [""], 6: [""], 7: ["_disc", "_venous"]}
    assert cohort.accounting.iloc[0, 1:].tolist() == [7, 7, 0, 0]


def test_without_a_level_each_place_is_a_complication(tmp_path):
    rows = ("y,disc", "y,", "n,", 'y,"disc, vein"')
    sites, told, _ = leaks(tmp_path, "leak (y/n),leak site", *rows)
    assert (sites, told) == ({}, {1: ["_disc"], 2: [""], 4: ["_disc", "_venous"]})
