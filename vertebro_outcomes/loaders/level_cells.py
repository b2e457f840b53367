"""Cells that name vertebrae: one cell may list several, each becomes a row.

What is told once of several vertebrae is that of none of them, unless it holds for each: an amount
and an angle are set aside and listed, a leak is one complication without a level. How it was looked
for, that there was none, and that all were treated holds for each. A complication at several
vertebrae is one; new fractures at several are several.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.errors import InputError
from vertebro_outcomes.loaders.cells import Parsed
from vertebro_outcomes.loaders.format import STAGED, Feed
from vertebro_outcomes.loaders.marks import RULE
from vertebro_outcomes.spine import parse_levels
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.typed_frames import ARROW

if TYPE_CHECKING:
    import ibis.expr.types as ir

LEVEL, N_LEVELS, _RAW_LEVEL = "_level", "_n_levels", "_raw_level"
NO_LEVEL: Final = "no level: something is told of a vertebra, and not of which"
TOGETHER: Final = "one value for several vertebrae: give each vertebra a row of its own"
EVENT_TOGETHER: Final = "one complication at several vertebrae: it is counted once, without a level"
LEVEL_RULES: Final = ("not a level from T1 to L5", EVENT_TOGETHER)
# What was measured or seen of one vertebra; a value for several is not that of each.
_OF_ONE: Final = (
    *("cement_ml", "leakage", "height_loss_pct"),
    *("kyphosis_pre_deg", "kyphosis_post_deg", "cleft"),
)
MOST_LEVEL_SPELLINGS: Final = 20_000


def with_levels(engine: Any, rows: "ir.Table", feed: Feed) -> "ir.Table":
    """A cell that lists several levels becomes several rows, but for events; spellings are read once."""
    cell = feed.cells.get("level")
    if cell is None or cell.constant is not None:
        return rows
    spelled = rows.select(raw=rows[cell.column]).distinct().filter(lambda t: t.raw.notnull())
    texts = spelled.limit(MOST_LEVEL_SPELLINGS).to_pyarrow()["raw"].to_pylist()
    import pyarrow as pa

    codes = {code.strip().lower(): word for code, word in cell.codes.items()}
    named = {raw: read_levels(codes.get(raw.lower(), raw)) for raw in texts}
    if feed.table == "events":
        pairs = [
            (raw, levels[0] if len(levels) == 1 else None)
            for raw, levels in named.items()
            if levels
        ]
    else:
        pairs = [(raw, level) for raw, levels in named.items() for level in levels]
    counts = [len(named[raw]) for raw, _ in pairs]
    lookup = store(
        engine,
        "levels",
        pa.table(
            {
                _RAW_LEVEL: pa.array([raw for raw, _ in pairs], ARROW["text"]),
                LEVEL: pa.array([level for _, level in pairs], ARROW["text"]),
                N_LEVELS: pa.array(counts, pa.int64()),
            }
        ),
    )
    return rows.left_join(lookup, rows[cell.column] == lookup[_RAW_LEVEL]).drop(_RAW_LEVEL)


def of_each(rows: "ir.Table", name: str, parsed: Parsed) -> Parsed:
    """What is told of several levels at once is set aside, unless it holds for each of them."""
    import ibis

    if name not in _OF_ONE or N_LEVELS not in rows.columns:
        return parsed
    together = _told_together(rows, name, parsed.value)
    value = ibis.ifelse(together, ibis.null(parsed.value.type()), parsed.value)
    if name == "leakage":  # nothing is refused: it becomes a complication
        return replace(parsed, value=value)
    rule = ibis.literal(len(parsed.rules), "int8")
    broken = ibis.ifelse(together, rule, parsed.broken)
    return replace(parsed, value=value, broken=broken, rules=(*parsed.rules, TOGETHER))


def leak_of_some(rows: "ir.Table", leakage: Any) -> Any:
    """Where the cement went that leaked from one of several vertebrae."""
    import ibis

    return ibis.ifelse(_told_together(rows, "leakage", leakage), leakage, ibis.null("string"))


def _told_together(rows: "ir.Table", name: str, value: Any) -> Any:
    told = value.notnull()
    if name == "leakage":
        told = value != "none"
    elif name == "cleft":
        told = value
    return (told & (rows[N_LEVELS] > 1)).fill_null(False)


def read_levels(text: str) -> Sequence[str]:
    """The levels a cell names; none where it names anything else."""
    try:
        return parse_levels(text)
    except InputError:
        return ()


def tells_of_vertebra(data: "ir.Table", needs: Sequence[str]) -> Any:
    """True where a row names a vertebra or tells something of one; 0, no and none tell of none.

    Where leaks alone are told, that there was none is an answer too.
    """
    import ibis

    filled: Any = ibis.literal(False)
    for name in (name for name in needs if name in data.columns):
        value, kind = data[name], STAGED["levels"][name].type
        told = value.notnull()
        if kind == "float":
            told = value != 0
        elif kind == "bool":
            told = value
        elif name == "leakage" and tuple(needs) != ("leakage",):
            told = value != "none"
        filled = filled | told.fill_null(False)
        if RULE + name in data.columns:
            filled = filled | data[RULE + name].notnull()
    return filled


def level_rule(rows: "ir.Table", text: Any) -> Any:
    """The number of the rule (in `LEVEL_RULES`) that a cell breaks which names no level."""
    import ibis

    unread = text.notnull() & rows[LEVEL].isnull()
    together = unread & (rows[N_LEVELS] > 1).fill_null(False)
    return ibis.cases(
        (together, ibis.literal(1, "int8")),
        (unread, ibis.literal(0, "int8")),
        else_=ibis.null("int8"),
    )
