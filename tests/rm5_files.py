"""Writes small RevMan 5 files for tests, with the traps that real ones hold."""

import math
from xml.sax.saxutils import quoteattr

Z = 1.959963984540054


def attributes(**values):
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())


def stored(estimate, se, tau2, q, *, k, log, level=0.95, z=Z):
    """The attributes of a pooled result: natural scale, LOG_* to the base 10 where the scale is a log."""
    read = math.exp if log else float
    low, high = estimate - z * se, estimate + z * se
    values = {
        "EFFECT_SIZE": read(estimate), "CI_START": read(low), "CI_END": read(high),
        "CHI2": q, "DF": k - 1, "TAU2": tau2, "I2": max(0.0, (q - k + 1) / q * 100) if q else 0.0,
        "Z": abs(estimate / se), "P_Z": 0.05, "ESTIMABLE": "YES",
    }  # fmt: skip
    if log:
        values |= {"LOG_EFFECT_SIZE": estimate / math.log(10)}
    return values


def data_line(kind, row, i, estimable="YES"):
    study = f"STD-Trial_x002d_{i}-2001"
    if kind == "DICH":
        values = {
            "EVENTS_1": row["e1"],
            "TOTAL_1": row["n1"],
            "EVENTS_2": row["e2"],
            "TOTAL_2": row["n2"],
        }
    elif kind == "CONT":
        values = {"MEAN_1": row["m1"], "SD_1": row["s1"], "TOTAL_1": row["n1"],
                  "MEAN_2": row["m2"], "SD_2": row["s2"], "TOTAL_2": row["n2"]}  # fmt: skip
    elif kind == "IV":
        values = {"ESTIMATE": row["y"], "SE": row["se"], "TOTAL_1": 0, "TOTAL_2": 0}
    else:
        values = {"O_E": row["o"], "VAR": row["v"], "EVENTS_1": 0, "TOTAL_1": 0}
    return f"<{kind}_DATA{attributes(STUDY_ID=study, ORDER=i, ESTIMABLE=estimable, **values)}/>"


def review(outcomes, *, studies=30, encoding="UTF-8"):
    """A whole file; `outcomes` are strings made by `outcome`."""
    included = "".join(
        f'<STUDY ID="STD-Trial_x002d_{i}-2001" NAME="Trial-{i} 2001" YEAR="2001"/>'
        for i in range(studies)
    )
    bias = "".join(
        f'<QUALITY_ITEM_DATA_ENTRY RESULT="YES" STUDY_ID="STD-Trial_x002d_{i}-2001"/>'
        for i in range(studies)
    )
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        '<COCHRANE_REVIEW REVMAN_VERSION="5.4"><COVER_SHEET><TITLE>Ümlaut review</TITLE>'
        '<CREATORS><PERSON ID="1"><FIRST_NAME>Jane</FIRST_NAME><LAST_NAME>Doe</LAST_NAME>'
        "<EMAIL_1>jane.doe@example.org</EMAIL_1></PERSON></CREATORS></COVER_SHEET>"
        f"<STUDIES_AND_REFERENCES><STUDIES><INCLUDED_STUDIES>{included}</INCLUDED_STUDIES></STUDIES>"
        f"</STUDIES_AND_REFERENCES><QUALITY_ITEMS><QUALITY_ITEM><NAME>Allocation concealment</NAME>"
        f"<QUALITY_ITEM_DATA>{bias}</QUALITY_ITEM_DATA></QUALITY_ITEM></QUALITY_ITEMS>"
        '<ANALYSES_AND_DATA CALCULATED_DATA="YES"><COMPARISON ID="CMP-001" NO="1"><NAME>VP versus NSM</NAME>'
        f"{''.join(outcomes)}</COMPARISON></ANALYSES_AND_DATA></COCHRANE_REVIEW>"
    ).encode(encoding, "xmlcharrefreplace")


def outcome(kind, number, settings, result, lines, subgroups=(), measure_text=""):
    """One outcome element; `result` are stored attributes, `subgroups` (name, result, lines)."""
    child = f"<EFFECT_MEASURE>{measure_text}</EFFECT_MEASURE>" if measure_text else ""
    inner = "".join(
        f"<{kind}_SUBGROUP{attributes(ID=f'CMP-001.{number:02d}.{j:02d}', NO=j, **values)}>"
        f"<NAME>{name}</NAME>{''.join(rows)}</{kind}_SUBGROUP>"
        for j, (name, values, rows) in enumerate(subgroups, start=1)
    )
    return (
        f"<{kind}_OUTCOME{attributes(ID=f'CMP-001.{number:02d}', NO=number, **settings, **result)}>"
        f"<NAME>Outcome {number}</NAME><GROUP_LABEL_1>VP</GROUP_LABEL_1>{child}"
        f"{''.join(lines)}{inner}</{kind}_OUTCOME>"
    )
