"""The fields, forms and events of an invented REDCap project, and its data dictionary."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from vertebro_outcomes.tables.cohort_tables import TABLES
from vertebro_outcomes.tables.event_types import DETECTION, EVENT_TYPES, INSTRUMENTS, LEAKAGE_SITES

DICTIONARY_HEADER: Final = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
CALC: Final = "round([weight]/([height]*[height]),1)"


def _codes(table: str, column: str) -> dict[str, str]:
    return {word: str(code) for code, word in enumerate(TABLES[table][column].codes, start=1)}


@dataclass(frozen=True)
class ProjectField:
    """One field: `name` in the project, `choices` word -> code where it is coded."""

    name: str
    kind: str
    label: str
    validation: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    calculation: str = ""

    def dictionary_row(self, form: str) -> list[str]:
        """The 18 cells of the data dictionary."""
        listed = "|".join(f"{code}, {word}" for word, code in self.choices.items())
        cells = [""] * len(DICTIONARY_HEADER)
        cells[0:2], cells[3], cells[4] = [self.name, form], self.kind, self.label
        cells[5], cells[7] = self.calculation or listed, self.validation
        return cells


def _date(name: str, label: str) -> ProjectField:
    return ProjectField(name, "text", label, "date_dmy")


def _number(name: str, label: str, validation: str = "number_comma_decimal") -> ProjectField:
    return ProjectField(name, "text", label, validation)


_DETECTED: Final = {word: str(code) for code, word in enumerate(DETECTION, start=1)}
_LEAKS: Final = {word: str(code) for code, word in enumerate(LEAKAGE_SITES)}
_EVENTS: Final = {word: str(code) for code, word in enumerate(EVENT_TYPES, start=1)}
# Yes/no columns of a patient that are boxes of one checkbox field; codes may be negative or letters.
BOXES: Final = {"steroid_use": "1", "smoker": "-1", "osteoporosis_drug": "op"}
BOX_FIELD: Final = "risk"
# Form -> canonical column -> field.
FORMS: Final[dict[str, dict[str, ProjectField]]] = {
    "baseline": {
        "sex": ProjectField("sex", "radio", "Sex", choices=_codes("patients", "sex")),
        "age_years": _number("age", "Age at treatment"),
        "bmi": ProjectField("bmi", "calc", "Body mass index", calculation=CALC),
        "bmd_t_score": _number("tscore", "Lowest T-score, with comma"),
        "charlson": _number("charlson", "Charlson index", "integer"),
        "prior_fractures": _number("prior_fx", "Vertebral fractures before", "integer"),
        "etiology": ProjectField(
            "etiology", "dropdown", "Cause of the fracture", choices=_codes("patients", "etiology")
        ),
        "death_date": _date("death_date", "Date of death"),
    },
    "treatment": {
        "episode_id": ProjectField("case_no", "text", "Case number"),
        "treatment": ProjectField(
            "treatment", "radio", "Treatment", choices=_codes("episodes", "treatment")
        ),
        "day0": ProjectField("day0", "radio", "Day 0 is", choices=_codes("episodes", "day0")),
        "fracture_date": _date("fx_date", "Date of the fracture"),
        "presentation_date": _date("pres_date", "Date of presentation"),
        "treatment_date": _date("proc_date", "Date of the procedure"),
        "enrolment_date": _date("incl_date", "Date of inclusion"),
        "fracture_age_days": _number("fx_age", "Age of the fracture (days)", "integer"),
        "inpatient": ProjectField("inpatient", "yesno", "Inpatient"),
        "n_levels": _number("n_levels", "Number of levels treated", "integer"),
        "cement_ml": _number("cement", "Cement (ml)"),
        "approach": ProjectField(
            "approach", "radio", "Approach", choices=_codes("episodes", "approach")
        ),
        "followup_end_date": _date("last_contact", "Last contact"),
    },
    "visit": {
        "episode_id": ProjectField("visit_case", "text", "Case number of the visit"),
        "date": _date("visit_date", "Date of the visit"),
        **{
            name: _number(f"sc_{name}", f"{item.label} of the visit")
            for name, item in INSTRUMENTS.items()
        },
    },
    "levels": {
        "episode_id": ProjectField("level_case", "text", "Case number of the level"),
        "level": ProjectField("level", "text", "Vertebral level"),
        "treated": ProjectField("treated", "yesno", "Treated"),
        "cement_ml": _number("level_cement", "Cement at this level (ml)"),
        "leakage": ProjectField("leakage", "radio", "Leakage of cement", choices=_LEAKS),
        "leakage_detected_by": ProjectField("leak_how", "radio", "Imaging", choices=_DETECTED),
        "height_loss_pct": _number("height_loss", "Loss of height (%)"),
        "kyphosis_pre_deg": _number("kyph_pre", "Kyphosis before"),
        "kyphosis_post_deg": _number("kyph_post", "Kyphosis after"),
        "cleft": ProjectField("cleft", "truefalse", "Cleft"),
    },
    "complication": {
        "episode_id": ProjectField("ae_case", "text", "Case number of the complication"),
        "type": ProjectField("ae_type", "dropdown", "Complication", choices=_EVENTS),
        "date": _date("ae_date", "Date of the complication"),
        "severity": ProjectField(
            "ae_severity", "radio", "Severity", choices=_codes("events", "severity")
        ),
        "symptomatic": ProjectField("ae_symptoms", "yesno", "Symptoms"),
        "related": ProjectField("ae_related", "yesno", "Related to the treatment"),
        "level": ProjectField("ae_level", "text", "Level of the complication"),
        "detected_by": ProjectField("ae_how", "radio", "How it was found", choices=_DETECTED),
    },
    "new_fracture": {
        "episode_id": ProjectField("newfx_case", "text", "Case number of the new fracture"),
        "level": ProjectField("newfx_level", "text", "Level of the new fracture"),
        "date": _date("newfx_date", "Date of the new fracture"),
        "adjacent": ProjectField("newfx_adjacent", "yesno", "Next to a treated level"),
        "symptomatic": ProjectField("newfx_symptoms", "yesno", "New fracture with symptoms"),
        "detected_by": ProjectField(
            "newfx_how", "radio", "How the new fracture was found", choices=_DETECTED
        ),
    },
}
TABLE_OF: Final = {
    "baseline": "patients", "treatment": "episodes", "visit": "scores", "levels": "levels",
    "complication": "events", "new_fracture": "fractures",
}  # fmt: skip


def checkbox_column(code: str) -> str:
    """The column of a box; a minus becomes an underscore."""
    return f"{BOX_FIELD}___{code.lower().replace('-', '_')}"


def dictionary_text(used: Mapping[str, Mapping[str, ProjectField]]) -> str:
    """The data dictionary of the fields in use, as REDCap writes it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(DICTIONARY_HEADER)
    about = ProjectField("record_id", "text", "Record ID")
    writer.writerow(about.dictionary_row("baseline"))
    for form, fields in used.items():
        for item in fields.values():
            writer.writerow(item.dictionary_row(form))
        if form == "baseline":
            boxes = ProjectField(BOX_FIELD, "checkbox", "Risks, all that apply", choices=BOXES)
            mark = ProjectField("synthetic", "yesno", "This record is synthetic")
            remark = ProjectField("remarks", "notes", "Remarks")
            for item in (boxes, mark, remark):
                writer.writerow(item.dictionary_row(form))
    return stream.getvalue()
