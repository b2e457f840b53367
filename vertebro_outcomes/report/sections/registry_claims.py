"""Registry: claims that need patients, which published figures cannot test."""

from typing import Any, Final

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import HIDDEN, hide_shares, is_small
from vertebro_outcomes.report.blocks import Block, anchor, bound, link, prose
from vertebro_outcomes.report.registry import refusals, registry_section, table
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis

_LABELS: Final = {
    "claim": "Claim", "finding": "These patients speak", "size": "Estimate (95% CI)", "n": "Patients",
    "because": "Because", "rule": "Rule",
}  # fmt: skip
_SPEAKS: Final = {
    "for": "for it", "against": "against it", "open": "leave it open", "withheld": "withheld",
}  # fmt: skip
_NUMBERS: Final = ("estimate", "ci_low", "ci_high", "n_t", "n_c", "events")


def build(registry: RegistryAnalysis) -> tuple[Block, ...]:
    """One row per claim: what speaks for or against it in these patients, by which rule."""
    found = registry.claims
    if found is None or found.empty:
        return (
            prose("No claim could be held against these patients."),
            *refusals(registry, ("claim",)),
        )
    safe = _safe(found, registry.largest_hidden)
    shown = pd.DataFrame(
        {
            "claim": [
                bound("{id}: {about}", id=link(f"#claim-{anchor(name)}", name), about=about)
                for name, about in zip(safe["claim_id"], safe["about"], strict=True)
            ],
            "finding": [_SPEAKS[word] for word in safe["finding"]],
            "size": [_size(row) for row in safe.to_dict("records")],
            "n": [_patients(row) for row in safe.to_dict("records")],
            "because": safe["because"].tolist(),
            "rule": safe["rule"].tolist(),
        }
    )
    return (
        prose(
            "Published figures cannot test these claims, because they need the scores of single patients. "
            "What one registry says is no verdict on a claim."
        ),
        table(
            shown, registry, name="claims", caption="Claims held against the patients of the registry",
            labels=_LABELS, numeric=("size", "n"), data=safe,
        ),
        *refusals(registry, ("claim",)),
    )  # fmt: skip


def _safe(found: pd.DataFrame, most: int) -> pd.DataFrame:
    """A result that rests on few patients, or stands for few, is hidden as a whole."""
    few = is_small(found["n_t"].fillna(0), largest_hidden=most)
    few |= is_small(found["n_c"].fillna(0), largest_hidden=most)
    counted = found["events"].notna().to_numpy()
    few |= counted & hide_shares(
        found["events"].fillna(0), found["n_t"].fillna(0), largest_hidden=most
    )
    out = found.copy()
    for name in (*_NUMBERS, "finding", "because"):
        out[name] = out[name].astype(object).mask(few, "withheld" if name == "finding" else HIDDEN)
    return out


def _size(row: dict[str, Any]) -> str:
    values = [row[name] for name in ("estimate", "ci_low", "ci_high")]
    if HIDDEN in values or pd.isna(values[0]):
        return HIDDEN if HIDDEN in values else ""
    return numbers.estimate_with_interval(
        values[0], (values[1], values[2]), measure=row["measure"],
        unit="points" if row["measure"] == "MD" else "",
    )  # fmt: skip


def _patients(row: dict[str, Any]) -> str:
    if HIDDEN in (row["n_t"], row["n_c"]):
        return HIDDEN
    treated = numbers.count(row["n_t"])
    return treated if pd.isna(row["n_c"]) else f"{treated} against {numbers.count(row['n_c'])}"


SECTION = registry_section(77, "Registry: claims", build)
