"""From what happens to what a registry records: canonical tables of one block."""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.simulate.dropout import attendance
from vertebro_outcomes.simulate.fractures import distance_to_index
from vertebro_outcomes.simulate.parameters import EVENT_RISK, VISITS
from vertebro_outcomes.simulate.potential import BLOCK, Block, Outcomes
from vertebro_outcomes.simulate.treatment import ARMS
from vertebro_outcomes.spine import LEVELS
from vertebro_outcomes.tables.event_types import LEAKAGE_SITES

SITES: Final = ("site_a", "site_b", "site_c")
ETIOLOGY: Final = ("osteoporotic", "malignant", "traumatic")
NO_DAY: Final = 10**7


def record_block(block: Block, number: int, *, first: int = BLOCK) -> dict[str, pd.DataFrame]:
    """Canonical frames of the first `first` patients of a block."""
    happened = block.under(block.intended)
    ids = np.array([f"S{number * BLOCK + i + 1:08d}" for i in range(BLOCK)], dtype=object)
    death = np.minimum(np.ceil(happened.death), NO_DAY).astype(np.int64)
    received = block.intended
    if block.scenario.from_presentation:  # who dies waiting never gets the procedure
        received = np.where(death <= block.delay, 0, received)
    seen, last = attendance(
        happened.scores["pain_vas"], draws=block.attendance, scenario=block.scenario
    )
    known_dead = death <= last
    last = np.minimum(last, death)
    keep = np.arange(BLOCK) < first
    augmented = (received > 0) & keep
    frames = {
        "patients": _patients(block, ids, np.where(known_dead, death, -1)),
        "episodes": _episodes(block, happened, ids=ids, received=received, last=last),
    }
    frames = {name: frame[:first].reset_index(drop=True) for name, frame in frames.items()}
    frames["levels"] = _levels(block, happened, ids=ids, keep=keep, augmented=augmented)
    frames["scores"] = _scores(happened, ids, keep=keep, seen=seen, last=last, death=death)
    frames["events"] = _events(block, happened, ids=ids, keep=keep, last=last, received=received)
    frames["fractures"] = _fractures(block, happened, ids=ids, keep=keep, last=last)
    return frames


def _patients(block: Block, ids: np.ndarray, death: np.ndarray) -> pd.DataFrame:
    p = block.patients
    return pd.DataFrame(
        {
            "patient_id": ids,
            "site": np.array(SITES, dtype=object)[p["site"]],
            "sex": np.where(p["female"], "female", "male").astype(object),
            "age_years": p["age"],
            "bmi": p["bmi"],
            "bmd_t_score": p["t_score"],
            "steroid_use": p["steroid"],
            "smoker": p["smoker"],
            "charlson": p["charlson"],
            "prior_fractures": p["prior"],
            "osteoporosis_drug": p["drug"],
            "etiology": np.array(ETIOLOGY, dtype=object)[p["etiology"]],
            "death_day": pd.array(np.where(death >= 0, death, np.nan), dtype="Int64"),
        }
    )


def _episodes(
    block: Block, happened: Outcomes, *, ids: np.ndarray, received: np.ndarray, last: np.ndarray
) -> pd.DataFrame:
    treated = received > 0
    at_presentation = block.scenario.from_presentation | ~treated
    presentation = np.where(
        at_presentation, 0, -np.minimum(block.delay, block.patients["fracture_age"])
    )
    procedure = np.where(at_presentation, block.delay, 0)
    n_levels = np.where(treated, 1 + (block.patients["second"] >= 0), 0)
    cement = np.where(treated, np.nansum(happened.cement, axis=1), np.nan)
    return pd.DataFrame(
        {
            "episode_id": ids,
            "patient_id": ids,
            "treatment": np.array(ARMS, dtype=object)[received],
            "day0": np.where(at_presentation, "presentation", "treatment").astype(object),
            "fracture_day": -block.patients["fracture_age"],
            "presentation_day": presentation,
            "treatment_day": pd.array(np.where(treated, procedure, np.nan), dtype="Int64"),
            "index_year": block.patients["year"],
            "n_levels": n_levels,
            "cement_ml": np.round(cement, 1),
            "followup_end_day": last,
        }
    )


def _levels(
    block: Block, happened: Outcomes, *, ids: np.ndarray, keep: np.ndarray, augmented: np.ndarray
) -> pd.DataFrame:
    draws, p = block.procedure, block.patients
    places = np.stack([p["index"], p["second"]], axis=1)
    row, column = np.nonzero((places >= 0) & keep[:, None])
    done = augmented[row]
    seen = draws["ct"][:, None] | draws["seen"]
    leak = np.where(seen, happened.leak, 0)[row, column]
    how = np.where(draws["ct"], "CT", "fluoroscopy").astype(object)[row]
    before = draws["before"][row, column]
    after = np.where(done, before - draws["corrected"][row, column], before)
    return pd.DataFrame(
        {
            "patient_id": ids[row],
            "episode_id": ids[row],
            "level": np.array(LEVELS, dtype=object)[places[row, column]],
            "treated": done,
            "cement_ml": np.where(done, happened.cement[row, column], np.nan),
            "leakage": pd.Series(np.array(LEAKAGE_SITES, dtype=object)[leak]).where(done, None),
            "leakage_detected_by": pd.Series(how).where(done, None),
            "height_loss_pct": draws["height"][row, column],
            "kyphosis_pre_deg": before,
            "kyphosis_post_deg": np.round(after, 1),
            "cleft": p["cleft"][row],
        }
    )


def _scores(
    happened: Outcomes,
    ids: np.ndarray,
    *,
    keep: np.ndarray,
    seen: np.ndarray,
    last: np.ndarray,
    death: np.ndarray,
) -> pd.DataFrame:
    """Attended visits with their value; visits after death with the reason why there is none."""
    days = np.array(VISITS)
    dead = (days >= death[:, None]) & (death <= last)[:, None] & keep[:, None]
    there = seen & (days <= last[:, None]) & ~dead & keep[:, None]
    row, visit = np.nonzero(there | dead)
    gone = dead[row, visit]
    names = list(happened.scores)
    values = [np.where(gone, np.nan, happened.scores[name][row, visit]) for name in names]
    status = np.where(gone, "dead", "observed").astype(object)
    return pd.DataFrame(
        {
            "patient_id": np.tile(ids[row], len(names)),
            "episode_id": np.tile(ids[row], len(names)),
            "instrument": np.repeat(np.array(names, dtype=object), len(row)),
            "day": np.tile(days[visit], len(names)),
            "value": np.concatenate(values),
            "status": np.tile(status, len(names)),
        }
    )


def _events(
    block: Block,
    happened: Outcomes,
    *,
    ids: np.ndarray,
    keep: np.ndarray,
    last: np.ndarray,
    received: np.ndarray,
) -> pd.DataFrame:
    days = happened.events
    start = np.where(block.scenario.from_presentation & (received > 0), block.delay, 0)
    possible = np.array([row[0] > 0 for row in EVENT_RISK.values()])  # also without a procedure
    there = (days >= 0) & keep[:, None] & (possible | (received > 0)[:, None])
    there &= days + start[:, None] <= last[:, None]
    row, kind = np.nonzero(there)
    seen = (block.procedure["ct"][:, None] | block.procedure["seen"]) & (received > 0)[:, None]
    leak = np.where(seen & keep[:, None], happened.leak, 0)
    leak_row, level = np.nonzero(leak)
    names = [f"cement_leakage_{site}" for site in LEAKAGE_SITES]
    places = np.stack([block.patients["index"], block.patients["second"]], axis=1)
    how = np.where(block.procedure["ct"], "CT", "fluoroscopy").astype(object)
    related = ~possible
    return pd.DataFrame(
        {
            "patient_id": np.concatenate([ids[row], ids[leak_row]]),
            "episode_id": np.concatenate([ids[row], ids[leak_row]]),
            "type": np.concatenate(
                [
                    np.array(list(EVENT_RISK), dtype=object)[kind],
                    np.array(names, dtype=object)[leak[leak_row, level]],
                ]
            ),
            "day": np.concatenate([(days + start[:, None])[row, kind], start[leak_row]]),
            "related": np.concatenate([related[kind], np.ones(len(leak_row), dtype=bool)]),
            "level": np.concatenate(
                [
                    np.full(len(row), None, dtype=object),
                    np.array(LEVELS, dtype=object)[places[leak_row, level]],
                ]
            ),
            "detected_by": np.concatenate([np.full(len(row), "clinical", object), how[leak_row]]),
        }
    )


def _fractures(
    block: Block, happened: Outcomes, *, ids: np.ndarray, keep: np.ndarray, last: np.ndarray
) -> pd.DataFrame:
    day = np.ceil(np.minimum(happened.fractures, NO_DAY)).astype(np.int64)
    row, place = np.nonzero((day <= last[:, None]) & keep[:, None])
    away = distance_to_index(block.patients)  # of the index level, which NSM leaves untreated
    return pd.DataFrame(
        {
            "patient_id": ids[row],
            "episode_id": ids[row],
            "level": np.array(LEVELS, dtype=object)[place],
            "day": day[row, place],
            "adjacent": away[row, place] == 1,
            "detected_by": np.full(len(row), "radiograph", dtype=object),
        }
    )
