"""Observation periods: how long somebody was in view from day 0 on."""

from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.tables.engine import store

# Periods that follow each other without a day between them are one.
NEXT_DAY: Final = 1


def with_last_period(engine: Any, source: Source, day0s: Any) -> Source:
    """`_role` last on the period with which the time in view from day 0 on ends; `_again` 1 after it.

    `day0s`: `person_id, day0`. Of people without one, or whom no period has in view on it, it is the
    period that ends last.
    """
    import ibis

    data = source.data
    end = data.observation_period_end_date.try_cast("date")
    begin: Any = ibis.null("date")
    if "observation_period_start_date" in data.columns:
        begin = data.observation_period_start_date.try_cast("date")
    marked = data.mutate(_begin=begin, _end=end)
    in_turn: Any = {
        "group_by": "person_id",
        "order_by": [marked["_begin"], marked["_end"], marked[LINE]],
    }
    before = marked["_end"].lag().over(**in_turn)
    apart = (marked["_begin"].delta(before, unit="day") > NEXT_DAY).fill_null(False)
    marked = store(engine, "periods", marked.mutate(_apart=ibis.ifelse(apart, 1, 0)))
    in_turn["order_by"] = [marked["_begin"], marked["_end"], marked[LINE]]
    run = marked["_apart"].sum().over(ibis.window(**in_turn, preceding=None, following=0))
    marked = marked.mutate(_run=run)
    marked = store(engine, "periods", marked)
    runs = marked.group_by(whose="person_id", run="_run").aggregate(
        since=marked["_begin"].min(), until=marked["_end"].max()
    )
    if day0s is None:
        day0s = data.select("person_id", day0=ibis.null("date"))
    view = runs.inner_join(day0s, runs.whose == day0s.person_id)
    view = view.filter((view.since <= view.day0) & (view.day0 <= view.until))
    view = view.group_by("whose").aggregate(own_run=view.run.max())
    marked = marked.left_join(view, marked.person_id == view.whose).drop("whose")
    mine = (marked["_run"] == marked.own_run).fill_null(marked.own_run.isnull())
    order = ibis.row_number().over(
        group_by=["person_id", mine],
        order_by=[marked["_end"].desc(nulls_first=False), marked[LINE]],
    )
    role = ibis.ifelse(mine & (order == 0), "last", ibis.null("string"))
    again = ibis.ifelse(
        (marked["_run"] > marked.own_run).fill_null(False), "1", ibis.null("string")
    )
    made = marked.mutate(_role=role, _again=again)
    made = made.drop("_begin", "_end", "_apart", "_run", "own_run")
    return replace(source, data=store(engine, "omop", made))
