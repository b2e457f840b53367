"""A score without a value is no sign that the patient was there: it may say `lost to follow-up`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from vertebro_outcomes.loaders.spans import Spans

if TYPE_CHECKING:
    import ibis.expr.types as ir

Children = Mapping[str, "ir.Table"]


def only_values(spans: Spans, dated: Children) -> tuple[Spans, Children]:
    """Spans and dated records of which blank scores tell nothing of when somebody was last seen.

    Whether a visit took place is not known where it left no value, whatever the reason that is told.
    """
    table = spans.table.mutate(last_day=spans.table.alive_day, last_date=spans.table.alive_date)
    told = dict(dated)
    if "scores" in told:
        told["scores"] = told["scores"].filter(told["scores"].value.notnull())
    return replace(spans, table=table), told
