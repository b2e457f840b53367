"""Cohort entry in an OMOP CDM: index fracture, treatment, subsequent fractures, scores, end of view.

Each step adds derived text columns (`_treatment`, `_role` ...) to a source and leaves its rows alone,
so that every row of the database can still be accounted for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.codes import LEVEL_OF_STEM, CodeSets
from vertebro_outcomes.loaders.look_up import is_among
from vertebro_outcomes.loaders.omop_codes import (
    CODE,
    Concepts,
    fractures_in,
    looked_up,
    meaning,
    with_code,
)
from vertebro_outcomes.loaders.omop_levels import with_levels
from vertebro_outcomes.loaders.omop_values import with_values
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.tables.engine import store

# Diagnoses of one fracture repeat at each visit; a new one follows a gap of at least this.
CLEAN_WINDOW_DAYS: Final = 90
# A fracture diagnosed up to this long before a procedure is the one that was treated.
LOOK_BACK_DAYS: Final = 365
# A fracture first coded up to this long after a procedure is taken for the one that was treated.
LATE_CODING_DAYS: Final = 30
LATER: Final = "later"  # a procedure on a day after that of the first
RIVAL: Final = "rival"  # a fracture before the procedure, passed over for a nearer one
FOLLOWED: Final = "followed"  # a later visit or sequela of a fracture: it begins none
UNDATED: Final = "undated"  # the code counts, its date cannot be read


def with_treatments(engine: Any, source: Source, codes: CodeSets, concepts: Concepts) -> Source:
    """Procedures: `_treatment` where the code is an augmentation, `_role` index for the first."""
    import ibis

    data = with_code(source.data, "procedure", codes.procedures)
    word = meaning(data, "procedure", codes.procedures, concepts.treatments)
    data = store(engine, "procedures", data.mutate(_found=word))
    day = _date(data, "procedure_date", "procedure_datetime")
    marked = data.mutate(_date=day.cast("string"), _day=day)
    marked = _with_text(marked, "procedure_date", "procedure_datetime")
    mine = marked["_found"].notnull() & marked["_day"].notnull()
    # On one day the cement step and the reduction step of a kyphoplasty stand together.
    step = marked["_found"].cases(("KP", 0), ("VP", 1), else_=2)
    order = ibis.row_number().over(
        group_by=["person_id", mine], order_by=[marked["_date"], step, marked[LINE]]
    )
    first = mine & (order == 0)
    undated = marked["_found"].notnull() & marked["_day"].isnull()
    day0 = marked["_day"].min().over(group_by=["person_id", mine])
    later = mine & (marked["_day"] > day0)
    role = ibis.cases(
        (first, "index"), (later, LATER), (undated, UNDATED), else_=ibis.null("string")
    )
    treatment = ibis.ifelse(mine, marked["_found"], ibis.null("string"))
    read = ibis.ifelse(marked["_found"].notnull(), "1", ibis.null("string"))
    made = marked.mutate(_role=role, _treatment=treatment, _read=read)
    made = made.drop("_found", "_day", CODE)
    return _with(engine, source, made)


def with_fractures(
    engine: Any, source: Source, procedures: Source | None, codes: CodeSets, concepts: Concepts
) -> Source:
    """Conditions: `_role` index (the fracture of the episode) or new, `_arm` NSM without a procedure."""
    import ibis

    data, code, first, later = fractures_in(engine, source.data, codes, concepts)
    day = _date(data, "condition_start_date", "condition_start_datetime")
    level = looked_up(code.substr(0, 5), LEVEL_OF_STEM)
    marked = data.mutate(
        _mine=first & day.notnull(),
        _undated=first & day.isnull(),
        _followed=later,
        _when=day,
        _level=level,
        _read=ibis.ifelse(first | later, "1", ibis.null("string")),
    )
    marked = store(engine, "conditions", marked)
    own = marked.filter(marked["_mine"])
    before = own["_when"].lag().over(group_by="person_id", order_by=[own["_when"], own[LINE]])
    gap = own["_when"].delta(before, unit="day")
    starts = own.mutate(_gap=gap).filter(
        lambda t: t["_gap"].isnull() | (t["_gap"] > CLEAN_WINDOW_DAYS)
    )
    starts = starts.select("person_id", LINE, "_when")
    if procedures is not None:
        index = procedures.data.filter(procedures.data["_role"] == "index")
        index = index.select(treated_person=index.person_id, _treated=index["_date"].cast("date"))
        starts = starts.left_join(index, starts.person_id == index.treated_person)
    else:
        starts = starts.mutate(_treated=ibis.null("date"))
    lead = starts["_treated"].delta(starts["_when"], unit="day")
    # The procedure is a record of its fracture too: a diagnosis soon after it repeats that one.
    coded = (
        starts.filter(lead.between(0, LOOK_BACK_DAYS)).select(known_person="person_id").distinct()
    )
    starts = starts.left_join(coded, starts.person_id == coded.known_person)
    lead = starts["_treated"].delta(starts["_when"], unit="day")
    repeated = starts.known_person.notnull() & lead.between(-CLEAN_WINDOW_DAYS, -1)
    # Without a fracture before the procedure the next one coded soon after it is the treated one:
    # its date contradicts that of the procedure, which the checks of dates will say.
    candidate = starts["_treated"].isnull() | lead.between(-LATE_CODING_DAYS, LOOK_BACK_DAYS)
    untreated = starts["_treated"].isnull()
    rank = ibis.row_number().over(
        group_by=["person_id", candidate],
        order_by=[(lead < 0).fill_null(False), lead.abs().asc(), starts["_when"], starts[LINE]],
    )
    is_index = candidate & (rank == 0)
    later = starts["_treated"].isnull() | (lead < 0)
    rival = candidate & (lead >= 0)  # the codes do not tell which of the two was treated
    role = ibis.cases(
        (is_index, "index"), (repeated, "repeated"), (later, "new"), (rival, RIVAL), else_="earlier"
    )
    arm = ibis.ifelse(is_index & untreated, "NSM", ibis.null("string"))
    starts = starts.select(start_line=starts[LINE], _role=role, _arm=arm)
    joined = marked.left_join(starts, marked[LINE] == starts.start_line)
    role = ibis.cases(
        (joined["_undated"], UNDATED), (joined["_followed"], FOLLOWED), else_=joined["_role"]
    )
    joined = joined.mutate(_when=joined["_when"].cast("string"), _role=role)
    joined = joined.rename(_listed="_mine")
    joined = _with_text(joined, "condition_start_date", "condition_start_datetime")
    made = _with(engine, source, joined.drop("start_line", "_undated", "_followed", CODE))
    return with_levels(engine, made, procedures)


def with_scores(
    engine: Any,
    source: Source,
    kind: str,
    *,
    codes: CodeSets,
    concepts: Concepts,
    named: Source | None,
) -> Source:
    """Measurements or observations: `_instrument` where the code is a score we know."""
    data = with_code(source.data, kind, codes.scores, described=False)
    data = data.mutate(_instrument=meaning(data, kind, codes.scores, concepts.scores)).drop(CODE)
    data = with_values(engine, data, kind, named)
    return _with(engine, source, _with_text(data, f"{kind}_date", f"{kind}_datetime"))


def day0s(tables: Mapping[str, Source]) -> Any:
    """`person_id, day0` of people with an index fracture or procedure: that of the procedure first."""
    import ibis

    whole: Any = None
    for name, day in (("procedure_occurrence", "_date"), ("condition_occurrence", "_when")):
        if name in tables:
            rows = tables[name].data
            rows = rows.filter(rows["_role"] == "index")
            part = rows.select(
                "person_id", at=rows[day].cast("date"), treats=ibis.literal(day == "_date")
            )
            whole = part if whole is None else whole.union(part)
    if whole is None:
        return None
    days = whole.group_by("person_id").aggregate(
        treated=whole["at"].min(where=whole.treats), found=whole["at"].min(where=~whole.treats)
    )
    return days.select("person_id", day0=days.treated.coalesce(days.found))


def members(tables: Mapping[str, Source]) -> Any:
    """People with an index fracture or an index procedure."""
    days = day0s(tables)
    return None if days is None else days.select("person_id")


def with_members(engine: Any, source: Source, members: Any) -> Source:
    """`_member` is 1 on rows of people in the cohort."""
    import ibis

    people = members.select(member=members.person_id).distinct()
    joined = source.data.left_join(people, source.data.person_id == people.member)
    mark = ibis.ifelse(joined.member.notnull(), "1", ibis.null("string"))
    return _with(engine, source, joined.mutate(_member=mark).drop("member"))


_SEXES: Final = ("M", "F", "MALE", "FEMALE")


def with_sex(engine: Any, source: Source) -> Source:
    """The concept of sex is what the source says, in words that are known, where it is not mapped."""
    data = source.data
    if not {"gender_concept_id", "gender_source_value"} <= set(data.columns):
        return source
    concept, said = data.gender_concept_id, data.gender_source_value
    unmapped = concept.nullif("").nullif("0").isnull() & is_among(said.upper(), _SEXES)
    return _with(engine, source, data.mutate(gender_concept_id=unmapped.ifelse(said, concept)))


def with_birth_dates(engine: Any, source: Source) -> Source:
    """Birth dates; July stands in for a month that is not told, the first for a day."""
    data = source.data
    year = data.year_of_birth.re_extract(r"^(\d{4})", 1)
    month = _number(data, "month_of_birth").coalesce("7")
    day = _number(data, "day_of_birth").coalesce("1")
    date = year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")
    return _with(engine, source, data.mutate(_birth=date))


def _with(engine: Any, source: Source, data: Any) -> Source:
    return replace(source, data=store(engine, "omop", data))


def _number(data: Any, column: str) -> Any:
    import ibis

    if column not in data.columns:
        return ibis.null("string")
    return data[column].re_extract(r"^0*(\d{1,2})(\.0)?$", 1).nullif("").nullif("0")


def _date(data: Any, date: str, datetime: str) -> Any:
    """The date column, else the day of the datetime column; ISO or YYYYMMDD."""
    import ibis

    columns = [data[c] for c in (date, datetime) if c in data.columns]
    if not columns:
        return ibis.null("date")
    text = ibis.coalesce(*columns)
    compact = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2)
    iso = ibis.ifelse(text.re_search(r"^\d{8}$"), compact, text.substr(0, 10))
    return ibis.ifelse(iso.length() == 10, iso, ibis.null("string")).try_cast("date")


def _with_text(data: Any, date: str, datetime: str) -> Any:
    """The date column as ISO text where it can be read, else as it stands, so that it is refused."""
    columns = [data[c] for c in (date, datetime) if c in data.columns]
    if not columns:
        return data
    import ibis

    read = _date(data, date, datetime).cast("string")
    return data.mutate(**{date: ibis.coalesce(read, *columns)})


def with_site_names(engine: Any, person: Source, sites: Source) -> Source:
    """`care_site_id` of people becomes the name of the care site where one is known."""
    import ibis

    named = [sites.data[c] for c in _SITE_NAMES if c in sites.data.columns]
    if not named or "care_site_id" not in sites.data.columns:
        return person
    known = sites.data.select(own_site=sites.data.care_site_id, site_name=ibis.coalesce(*named))
    known = known.group_by("own_site").aggregate(site_name=known.site_name.min())
    joined = person.data.left_join(known, person.data.care_site_id == known.own_site)
    site = joined.site_name.coalesce(joined.care_site_id)
    return _with(engine, person, joined.mutate(care_site_id=site).drop("own_site", "site_name"))


_SITE_NAMES: Final = ("care_site_name", "care_site_source_value")
