"""Episodes, their day 0, and the days of everything else counted from it."""

from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.format import DATED
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.records import in_file_order, merge
from vertebro_outcomes.loaders.staging import ORDER
from vertebro_outcomes.tables.engine import count, store_told

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Day 0 is the first of these dates that a record has, unless a mapped `day0` names another.
DAY0_ORDER: Final = ("treatment", "presentation", "enrolment", "fracture")
# A record up to a month before day 0 still belongs to that episode (baseline visit).
BASELINE_DAYS: Final = 30
DAY0_DATE, NUMBER, EPISODES = "_day0_date", "_number", "_episodes"


def episodes_of(engine: Any, rows: "ir.Table", *, single: bool, ledger: Ledger) -> "ir.Table":
    """One row per episode with `episode_id`, `day0` and the hidden date of day 0."""
    import ibis

    dates = [f"{word}_date" for word in DAY0_ORDER]
    by_date = ibis.coalesce(*(rows[date] for date in dates)).cast("string")
    given = rows.episode_id if not single else ibis.null("string")
    rows = rows.mutate(_key=given.coalesce(by_date if not single else ibis.literal("1"), ""))
    episodes = merge(
        engine, rows.drop("episode_id"), ["patient_id", "_key"], name="episodes", ledger=ledger
    )
    named = {word: episodes[f"{word}_date"] for word in DAY0_ORDER}
    named["given"] = episodes.enrolment_date
    stated = episodes.day0.cases(*named.items(), else_=ibis.null("date"))
    day0 = ibis.coalesce(stated, *(episodes[date] for date in dates))
    known = [(episodes[f"{word}_date"].notnull(), word) for word in DAY0_ORDER]
    order, of = _numbers(episodes, day0)
    episodes = episodes.mutate(
        **{
            DAY0_DATE: day0,
            NUMBER: order,
            EPISODES: of,
            "day0": episodes.day0.coalesce(ibis.cases(*known, else_="given")),
        }
    )
    episodes = episodes.mutate(episode_id=episodes[NUMBER])  # until pseudonyms replace numbers
    for word in ("treatment", "presentation", "fracture"):
        days = episodes[f"{word}_date"].delta(episodes[DAY0_DATE], unit="day")
        episodes = episodes.mutate(
            **{f"{word}_day": episodes[f"{word}_day"].coalesce(days.cast("int64"))}
        )
    year = episodes[DAY0_DATE].year().cast("int64")
    episodes = episodes.mutate(index_year=year.coalesce(episodes.index_year))
    ends = episodes.followup_end_date.delta(episodes[DAY0_DATE], unit="day").cast("int64")
    episodes = episodes.mutate(followup_end_day=episodes.followup_end_day.coalesce(ends))
    return store_told(engine, "episodes", in_file_order(episodes))


def _numbers(episodes: "ir.Table", day0: Any) -> tuple[Any, Any]:
    """The number of an episode among those of its patient, by date, and how many there are."""
    import ibis

    people = episodes.aggregate(n=episodes.count(), people=episodes.patient_id.nunique())
    facts = people.to_pyarrow().to_pylist()[0]
    if facts["n"] == facts["people"]:
        return ibis.literal(1, "int32"), ibis.literal(1, "int64")
    order = ibis.row_number().over(
        group_by="patient_id", order_by=[day0.asc(nulls_first=False), episodes["_key"]]
    )
    return (order + 1).cast("int32"), episodes["_key"].count().over(
        ibis.window(group_by="patient_id")
    )


def check_order(engine: Any, episodes: "ir.Table", ledger: Ledger) -> "ir.Table":
    """A fracture after its own treatment or presentation is a wrong date: it is set aside."""
    import ibis

    found = episodes.fracture_day
    wrong = {
        word: (episodes[f"{word}_day"] < found).fill_null(False)
        for word in ("treatment", "presentation")
    }
    ends = (episodes.followup_end_day < 0).fill_null(False)
    findings = [
        Finding(
            wrong["treatment"],
            "treatment before the fracture; the fracture date is set aside",
            "fracture_date",
            found,
        ),
        Finding(
            wrong["presentation"] & ~wrong["treatment"],
            "presentation before the fracture; the fracture date is set aside",
            "fracture_date",
            found,
        ),
        Finding(
            ends, "follow-up ends before day 0", "followup_end_date", episodes.followup_end_day
        ),
    ]
    if not ledger.flag_cells(episodes, findings):
        return episodes
    any_wrong = wrong["treatment"] | wrong["presentation"]
    day = ibis.ifelse(any_wrong, ibis.null("int64"), found)
    date = ibis.ifelse(any_wrong, ibis.null("date"), episodes.fracture_date)
    end = ibis.ifelse(ends, ibis.null("int64"), episodes.followup_end_day)
    checked = episodes.mutate(fracture_day=day, fracture_date=date, followup_end_day=end)
    return store_told(engine, "episodes", in_file_order(checked))


def attach(
    engine: Any, rows: "ir.Table", episodes: "ir.Table", *, name: str, ledger: Ledger
) -> "ir.Table":
    """Rows with the episode they belong to, and days from its day 0."""
    one = count(episodes.filter(episodes[EPISODES] > 1).limit(1)) == 0
    placed = _with_only_episode(rows, episodes) if one else _choose(engine, rows, episodes)
    if not DATED[name]:
        return store_told(engine, name, in_file_order(placed))
    days = placed.date.delta(placed[DAY0_DATE], unit="day").cast("int64")
    placed = placed.mutate(day=placed.day.coalesce(days)).drop(DAY0_DATE)
    if name == "scores":  # they are many: put together once, at the end, and looked at once before
        return placed
    return refuse_undated(store_told(engine, name, in_file_order(placed)), ledger)


def is_undated(rows: "ir.Table") -> Any:
    """True where a date could not be counted from a day 0."""
    return rows.date.notnull() & rows.day.isnull()


def refuse_undated(rows: "ir.Table", ledger: Ledger) -> "ir.Table":
    """The rows whose dates, if any, became days."""
    lost = is_undated(rows)
    finding = Finding(lost, "no day 0 to count this date from", "date", rows.date)
    return rows.filter(~lost) if ledger.refuse_rows(rows, [finding]) else rows


def _with_only_episode(rows: "ir.Table", episodes: "ir.Table") -> "ir.Table":
    own = episodes.select(DAY0_DATE, own_patient=episodes.patient_id, own_id=episodes.episode_id)
    joined = rows.left_join(own, rows.patient_id == own.own_patient)
    return joined.mutate(episode_id=joined.own_id).drop("own_patient", "own_id")


def _choose(engine: Any, rows: "ir.Table", episodes: "ir.Table") -> "ir.Table":
    """The episode named by the row; else the last one that began before it; else the first."""
    import ibis

    own = episodes.select(
        "_key", DAY0_DATE, NUMBER, own_id=episodes.episode_id, own_patient=episodes.patient_id
    )
    pairs = rows.left_join(own, rows.patient_id == own.own_patient)
    named = (pairs.episode_id == pairs["_key"]).fill_null(False)
    begun: Any = ibis.literal(False)
    if "date" in rows.columns:
        begun = (pairs.date.delta(pairs[DAY0_DATE], unit="day") >= -BASELINE_DAYS).fill_null(False)
    rank = ibis.cases((named, 10**9), (begun, pairs[NUMBER] + 10**6), else_=-pairs[NUMBER])
    # One row of a file is one row here, except where it lists several levels.
    row = [ORDER, *(c for c in ("level",) if c in rows.columns)]
    best = ibis.row_number().over(group_by=row, order_by=rank.desc())
    chosen = pairs.mutate(_best=best).filter(lambda t: t["_best"] == 0)
    chosen = chosen.mutate(episode_id=chosen.own_id)
    return store_told(
        engine, "rows", chosen.drop("own_patient", "_key", NUMBER, "own_id", "_best").order_by(row)
    )


def kept_dates(table: "ir.Table", *, keep: bool) -> "ir.Table":
    """Dates leave once days are known, unless the caller keeps them."""
    import ibis

    if keep:
        return table
    dates = [f"{word}_date" for word in ("treatment", "presentation", "fracture")]
    return table.mutate(**{name: ibis.null("date") for name in dates})
