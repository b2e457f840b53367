"""Cells that name vertebrae: one cell may list several, each becomes a row."""

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
LEVEL_RULES: Final = ("not a level from T1 to L5",)
TOGETHER: Final = "one amount for several vertebrae: give each vertebra a row of its own"
AMOUNTS: Final = ("cement_ml",)  # of which two vertebrae do not each have the whole
MOST_LEVEL_SPELLINGS: Final = 20_000


def with_levels(engine: Any, rows: "ir.Table", feed: Feed) -> "ir.Table":
    """A cell that lists several levels becomes several rows; spellings are read once each."""
    cell = feed.cells.get("level")
    if cell is None or cell.constant is not None:
        return rows
    spelled = rows.select(raw=rows[cell.column]).distinct().filter(lambda t: t.raw.notnull())
    texts = spelled.limit(MOST_LEVEL_SPELLINGS).to_pyarrow()["raw"].to_pylist()
    import pyarrow as pa

    codes = {code.strip().lower(): word for code, word in cell.codes.items()}
    named = {raw: read_levels(codes.get(raw.lower(), raw)) for raw in texts}
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
    """An amount that is told of several levels at once is set aside, as it is that of none of them."""
    import ibis

    if name not in AMOUNTS or N_LEVELS not in rows.columns:
        return parsed
    together = parsed.value.notnull() & (rows[N_LEVELS] > 1)
    rule = ibis.literal(len(parsed.rules), "int8")
    value = ibis.ifelse(together, ibis.null(parsed.value.type()), parsed.value)
    broken = ibis.ifelse(together, rule, parsed.broken)
    return replace(parsed, value=value, broken=broken, rules=(*parsed.rules, TOGETHER))


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
    return ibis.ifelse(unread, ibis.literal(0, "int8"), ibis.null("int8"))
