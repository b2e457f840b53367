"""Data packages and exports written for the tests, with every trap seen in real ones."""

import csv
import io
import zipfile

ROWS = [
    "Analysis group",
    "Analysis number",
    "Analysis name",
    "Subgroup",
    "Applicability",
    "Study",
    "Study year",
    "GIV Mean",
    "GIV SE",
    "Experimental mean",
    "Experimental SD",
    "Experimental cases",
    "Experimental N",
    "Control mean",
    "Control SD",
    "Control cases",
    "Control N",
    "O-E",
    "Variance",
    "Weight",
    "Mean",
    "CI start",
    "CI end",
    "Footnotes",
]
SETTINGS = [
    "Analysis group",
    "Analysis number",
    "Analysis name",
    "Analysis group name",
    "Data type",
    "Log-scale data",
    "Statistical method",
    "Effect measure",
    "Analysis model",
    "Study CI",
    "Estimate CI",
    "Subgroup estimates",
    "Overall estimates",
    "Test for subgroup differences",
    "Swap event and non-event",
    "Experimental cases",
    "Experimental N",
    "Control cases",
    "Control N",
    "Mean",
    "CI start",
    "CI end",
    "Heterogeneity Tau²",
    "Heterogeneity Chi²",
    "Heterogeneity df",
    "Heterogeneity P",
    "Heterogeneity I²",
    "Effect Z",
    "Effect P",
    "Subgroup Chi²",
    "Subgroup df",
    "Subgroup P",
    "Subgroup I²",
]
SUBGROUPS = [
    "Analysis group",
    "Analysis number",
    "Subgroup",
    "Experimental cases",
    "Experimental N",
    "Control cases",
    "Control N",
    "Weight",
    "Mean",
    "CI start",
    "CI end",
    "Heterogeneity Tau²",
    "Heterogeneity Chi²",
    "Heterogeneity df",
    "Heterogeneity P",
    "Heterogeneity I²",
    "Effect Z",
    "Effect P",
]

# Fleiss (1993), Stat Methods Med Res 2:121-145, as RevMan 5 stores it: events and n of both arms,
# odds ratio, limits, weight.
ASPIRIN = (
    ("MRC-1", 1974, 49, 615, 67, 624, 0.71971415, 0.48897453, 1.05933628, 3.17649),
    ("CDP", 1976, 44, 758, 64, 771, 0.6807598, 0.4573909, 1.01321191, 3.10168911),
    ("MRC-2", 1979, 102, 832, 126, 850, 0.80287019, 0.60645288, 1.06290292, 5.67538044),
    ("GASP", 1979, 32, 317, 38, 309, 0.80073869, 0.48626104, 1.31859721, 1.79548462),
    ("PARIS", 1980, 85, 810, 52, 406, 0.79814324, 0.55256335, 1.15286803, 3.21762436),
    ("AMIS", 1980, 246, 2267, 219, 2257, 1.1327364, 0.93466468, 1.37278298, 10.15349122),
    ("ISIS-2", 1988, 1570, 8587, 1720, 8600, 0.89496936, 0.82941758, 0.96570193, 72.87984024),
)
ASPIRIN_POOLED = {
    "Mean": "0.89686556",
    "CI start": "0.8405144",
    "CI end": "0.95699471",
    "Heterogeneity Chi²": "9.94605598",
    "Heterogeneity df": "6",
    "Heterogeneity I²": "39.67458046",
    "Effect Z": "3.28763306",
}
# Mean, SD, n in both arms, difference and limits, weight: the same source.
COSTS = (
    ("Davis", 1973, 5, 4.7, 13, 6.5, 3.8, 13, -1.5, -4.78549833, 1.78549833, 2.79315513),
    ("Florell", 1971, 4.9, 1.71, 30, 6.1, 2.3, 50, -1.2, -2.08365906, -0.31634094, 38.61251498),
    ("Gruen", 1975, 22.5, 3.44, 35, 24.9, 10.65, 35, -2.4, -6.10777619, 1.30777619, 2.19316111),
    ("Hart", 1975, 12.5, 1.47, 20, 12.3, 1.66, 20, 0.2, -0.77176469, 1.17176469, 31.92826572),
    ("Wilson", 1977, 6.5, 0.76, 8, 7.38, 1.41, 8, -0.88, -1.98995669, 0.22995669, 24.47290305),
)
COSTS_POOLED = {
    "Mean": "-0.70938839",
    "CI start": "-1.25848502",
    "CI end": "-0.16029176",
    "Heterogeneity Chi²": "5.66012379",
    "Heterogeneity df": "4",
}


def csv_bytes(headers, rows, *, mark=True, separator=","):
    """A CSV with a byte order mark, cells that do not apply left as the rows say."""
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, restval="", delimiter=separator, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if mark else "utf-8")


def data_row(group, number, study, year="", **cells):
    """Cells that do not apply hold 0.0."""
    zeros = dict.fromkeys(ROWS[7:19], "0.0")
    return {
        **zeros,
        "Analysis group": group,
        "Analysis number": number,
        "Analysis name": f"Outcome {group}.{number}",
        "Applicability": "SUBGROUP_AND_OVERALL",
        "Study": study,
        "Study year": year,
        **cells,
    }


def aspirin_rows(group=1, number=1, **cells):
    return [
        data_row(
            group, number, study, year,
            **{"Experimental cases": a, "Experimental N": n1, "Control cases": c, "Control N": n2,
               "GIV SE": 0.1972, "Variance": 25.7,  # filled although it is event data
               "Weight": weight, "Mean": effect, "CI start": low, "CI end": high},
            **cells,
        )
        for study, year, a, n1, c, n2, effect, low, high, weight in ASPIRIN
    ]  # fmt: skip


def costs_rows(group=1, number=2, **cells):
    return [
        data_row(
            group, number, study, year,
            **{"Experimental mean": m1, "Experimental SD": s1, "Experimental N": n1,
               "Control mean": m2, "Control SD": s2, "Control N": n2, "GIV SE": 1.676,
               "Weight": weight, "Mean": effect, "CI start": low, "CI end": high},
            **cells,
        )
        for study, year, m1, s1, n1, m2, s2, n2, effect, low, high, weight in COSTS
    ]  # fmt: skip


def setting(group, number, data_type, measure, **cells):
    return {
        "Analysis group": group,
        "Analysis number": number,
        "Analysis name": f"Outcome {group}.{number}",
        "Analysis group name": f"Group {group}",
        "Data type": data_type,
        "Log-scale data": "#N/A",
        "Statistical method": "Inverse variance",
        "Effect measure": measure,
        "Analysis model": "Fixed effect",
        "Study CI": "95%",
        "Estimate CI": "95%",
        "Subgroup estimates": "Yes",
        "Overall estimates": "Yes",
        "Swap event and non-event": "No",
        **cells,
    }


ASPIRIN_SETTING = setting(
    1, 1, "Dichotomous", "Odds Ratio (OR)",
    **{"Statistical method": "Mantel-Haenszel", **ASPIRIN_POOLED},
)  # fmt: skip
COSTS_SETTING = setting(1, 2, "Continuous", "Mean Difference (MD)", **COSTS_POOLED)


def package(rows=None, settings=None, subgroups=(), *, name="CD000001", extra=None):
    """Files of a data package by their path inside."""
    folder = f"{name}-analysis-data/{name}"
    rows = [*aspirin_rows(), *costs_rows()] if rows is None else rows
    settings = [ASPIRIN_SETTING, COSTS_SETTING] if settings is None else settings
    headers = [*ROWS, *dict.fromkeys(h for row in rows for h in row if h not in ROWS)]
    titles = [*SETTINGS, *dict.fromkeys(h for row in settings for h in row if h not in SETTINGS)]
    parts = [*SUBGROUPS, *dict.fromkeys(h for row in subgroups for h in row if h not in SUBGROUPS)]
    return {
        f"{folder}-data-rows.csv": csv_bytes(headers, rows),
        f"{folder}-overall-estimates-and-settings.csv": csv_bytes(titles, settings),
        f"{folder}-subgroup-estimates.csv": csv_bytes(parts, subgroups),
        **(extra or {}),
    }


def zipped(files, *, compression=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()
