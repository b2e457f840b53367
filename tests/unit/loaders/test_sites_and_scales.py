"""One instrument on several scales: by sites, by columns, and what is read of it."""

from vertebro_outcomes.loaders.propose import propose_mapping

PRE = (8, 7, 9, 6, 8, 7)


def scores_of(folder, text):
    (folder / "t.csv").write_text(text)
    proposal = propose_mapping(folder / "t.csv")
    return [
        feed for feed in proposal.content["feed"] if feed["table"] == "scores"
    ], proposal.remarks


def wide(*sites):
    head = "patient_id,hospital,treatment,op_date,VAS pre,ODI pre"
    rows = [
        f"{site}{n},{site},VP,2019-02-03,{mark * factor + n * (factor > 1)},4{n}"
        for site, factor in sites
        for n, mark in enumerate(PRE)
    ]
    return "\n".join([head, *rows]) + "\n"


def test_pain_of_sites_that_differ_in_their_scale_is_not_read(tmp_path):
    feeds, remarks = scores_of(tmp_path, wide(("N", 1), ("S", 10), ("W", 10)))
    assert [feed["columns"]["instrument"]["constant"] for feed in feeds] == ["odi"]
    assert "pain_vas is not read: values of some sites in 'hospital'" in remarks[0]


def test_pain_of_sites_that_agree_is(tmp_path):
    feeds, remarks = scores_of(tmp_path, wide(("N", 10), ("S", 10)))
    assert feeds[0]["columns"]["value"]["scale"] == [0, 100]
    assert not remarks


def test_in_a_long_table_the_other_instruments_are_read(tmp_path):
    rows = [
        f"{site}{n},{site},{name},0,{value}"
        for site, factor in (("N", 1), ("S", 10), ("W", 10))
        for n, mark in enumerate(PRE)
        for name, value in (("VAS", mark * factor), ("ODI", 40 + n))
    ]
    head = "patient_id,site,instrument,days_post_op,score\n"
    (feed,), remarks = scores_of(tmp_path, head + "\n".join(rows) + "\n")
    assert feed["where"] == {"instrument": ["ODI"]}
    assert len(remarks) == 1


def test_a_scale_written_in_the_cells_is_not_that_of_another_column(tmp_path):
    rows = [f"{n},VP,2019-02-03,{60 + n} %,0.{30 + n}" for n in range(1, 7)]
    head = "patient_id,treatment,op_date,ODI pre,ODI 3m\n"
    feeds, _ = scores_of(tmp_path, head + "\n".join(rows) + "\n")
    scales = {
        feed["columns"]["value"]["column"]: feed["columns"]["value"]["scale"] for feed in feeds
    }
    assert scales == {"ODI pre": [0, 100], "ODI 3m": [0, 1]}
