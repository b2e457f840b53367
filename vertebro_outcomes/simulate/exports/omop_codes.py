"""Codes an invented OMOP database uses (each is in codes.csv of the sheets), and when they tell enough."""

from typing import Final

from vertebro_outcomes.simulate.exports.calendar import Frames

# CPT: first body treated, thoracic and lumbar.
PROCEDURES: Final = {
    ("VP", "T"): "22510",
    ("VP", "L"): "22511",
    ("KP", "T"): "22513",
    ("KP", "L"): "22514",
}
# ICD-10-CM wedge compression fracture, initial encounter; below T4 one code means two vertebrae.
FRACTURES: Final = {
    **{f"T{n}": f"S22.0{n}0A" for n in range(1, 5)},
    "T5": "S22.050A", "T6": "S22.050A", "T7": "S22.060A", "T8": "S22.060A",
    "T9": "S22.070A", "T10": "S22.070A", "T11": "S22.080A", "T12": "S22.080A",
    **{f"L{n}": f"S32.0{n}0A" for n in range(1, 6)},
}  # fmt: skip
PAIN_VAS: Final = "38214-3"  # LOINC, Pain severity [Score] Visual analog score
GENDER: Final = {"male": "8507", "female": "8532"}
# A fracture coded longer before its procedure is not taken for the treated one.
LOOK_BACK_DAYS: Final = 365


def by_codes(frames: Frames) -> bool:
    """Whether codes tell the episodes: one each, treated in time, no other fracture in between."""
    episodes = frames["episodes"]
    done = episodes["treatment"].isin(("VP", "KP"))
    has_date = episodes["treatment_date"].notna()
    in_time = (episodes["treatment_day"] - episodes["fracture_day"]).between(0, LOOK_BACK_DAYS)
    fits = (done & has_date & in_time.fillna(False)) | (
        (episodes["treatment"] == "NSM") & ~has_date & episodes["fracture_date"].notna()
    )
    known = episodes[["episode_id", "fracture_date", "treatment_date"]]
    new = frames["fractures"][["episode_id", "date"]].merge(known, on="episode_id")
    rival = (new["date"] <= new["treatment_date"]) & (new["date"] > new["fracture_date"])
    single = not episodes["patient_id"].duplicated().any()
    return bool(fits.all()) and single and not rival.any()
