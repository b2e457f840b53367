"""Vertebrae of the treated fracture, by its diagnoses, and how many were treated where that is sure."""

from dataclasses import replace
from typing import Any

from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.tables.engine import store


def with_levels(engine: Any, conditions: Source, procedures: Source | None) -> Source:
    """`_of_index` is 1 on diagnoses of the index fracture, from its first day to that of the procedure.

    `_n_levels` stands in the row of the index fracture of treated people.
    """
    import ibis

    data = conditions.data
    index = data.filter(data["_role"] == "index")
    index = index.select(
        LINE, "person_id", begun=index["_when"], until=index["_when"], treated=ibis.null("string")
    )
    if procedures is not None:
        done = procedures.data
        done = done.filter(done["_role"] == "index").select(done_to="person_id", at="_date")
        index = index.left_join(done, index.person_id == done.done_to)
        index = index.mutate(until=ibis.greatest(index.begun, index["at"].coalesce(index.begun)))
        index = index.mutate(treated=index["at"]).drop("done_to", "at")
    index = store(engine, "index", index)
    own = index.select(of="person_id", begun="begun", until="until")
    marked = data.left_join(own, data.person_id == own.of)
    here = marked["_listed"] & marked["_when"].between(marked.begun, marked.until)
    mark = ibis.ifelse(here.fill_null(False), "1", ibis.null("string"))
    marked = marked.mutate(_of_index=mark).drop("of", "begun", "until", "_listed")
    marked = store(engine, "conditions", marked)
    if procedures is None:
        return replace(conditions, data=marked.mutate(_n_levels=ibis.null("string")))
    counts = _counts(index, marked, procedures)
    joined = marked.left_join(counts, marked[LINE] == counts.index_line).drop("index_line")
    return replace(conditions, data=store(engine, "omop", joined))


def _counts(index: Any, conditions: Any, procedures: Source) -> Any:
    """`index_line, _n_levels`: the number of vertebrae, if every diagnosis names one vertebra.

    Null where more rows of procedures stand on the day than vertebrae are named: some are not coded.
    """
    import ibis

    told = conditions.filter(conditions["_of_index"] == "1").group_by(told_of="person_id")
    told = told.aggregate(
        n=conditions["_level"].nunique(), vague=conditions["_level"].isnull().any()
    )
    done = procedures.data.filter(procedures.data["_treatment"].notnull())
    times = done.quantity.try_cast("float64") if "quantity" in done.columns else None
    most = done.count() if times is None else ibis.greatest(done.count(), times.max().fill_null(1))
    done = done.group_by(done_to="person_id", at="_date", how="_treatment").aggregate(n_rows=most)
    done = done.group_by("done_to", "at").aggregate(n_rows=done.n_rows.max())
    whole = index.inner_join(told, index.person_id == told.told_of)
    whole = whole.inner_join(done, [whole.person_id == done.done_to, whole.treated == done["at"]])
    sure = ~whole.vague & (whole.n >= whole.n_rows)
    number = ibis.ifelse(sure, whole.n.cast("string"), ibis.null("string"))
    return whole.select(index_line=whole[LINE], _n_levels=number)
