"""The data dictionary of a REDCap project, in both spellings of its columns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vertebro_outcomes.loaders.words import fold, squeeze

# Field of ours -> folded column names, human and API spelling.
_COLUMNS: Final = {
    "name": ("variable_field_name", "field_name"),
    "form": ("form_name",),
    "type": ("field_type",),
    "label": ("field_label",),
    "choices": ("choices_calculations_or_slider_labels", "select_choices_or_calculations",
                "choices_or_calculations"),
    "validation": ("text_validation_type_or_show_slider_number",),
    "branching": ("branching_logic_show_field_only_if", "branching_logic"),
}  # fmt: skip
TICKED_LABEL: Final = re.compile(r"(.*) \(choice=(.*)\)")
COMPLETE_LABEL: Final = re.compile(r"Complete\?( \(\d+\))?")
CODED: Final = ("radio", "dropdown", "checkbox", "select")
STRUCTURE: Final[dict[str, str]] = {
    "event_name": "redcap_event_name",
    "repeat_instrument": "redcap_repeat_instrument",
    "repeat_instance": "redcap_repeat_instance",
    "data_access_group": "redcap_data_access_group",
    "survey_identifier": "redcap_survey_identifier",
    "arm_name": "redcap_arm_name",
}


@dataclass(frozen=True)
class Field:
    """One field of the dictionary; `choices` maps codes to labels where the field is coded."""

    name: str
    form: str
    type: str
    label: str
    choices: Mapping[str, str]
    validation: str
    branching: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the export that belong to this field."""
        if self.type != "checkbox":
            return (self.name,)
        return tuple(checkbox_column(self.name, code) for code in self.choices)


def is_dictionary(header: Sequence[str]) -> bool:
    """Whether a header is that of a data dictionary."""
    folded = {fold(title) for title in header}
    return bool(
        folded & {"variable_field_name", "field_name"} and {"field_type", "form_name"} <= folded
    )


def fields_of(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> dict[str, Field]:
    """Every field by name, in the order of the dictionary."""
    titles = {fold(title): title for title in header}
    columns = {
        key: next((titles[name] for name in names if name in titles), None)
        for key, names in _COLUMNS.items()
    }
    fields = {}
    for row in rows:
        text = {
            key: (row.get(title) or "").strip() if title else "" for key, title in columns.items()
        }
        kind = text["type"].lower()
        if not text["name"] or kind == "descriptive":
            continue
        choices = parse_choices(text["choices"]) if kind in CODED else _implied(kind)
        fields[text["name"]] = Field(
            text["name"], text["form"], kind, plain_label(text["label"]), choices,
            text["validation"].lower(), text["branching"],
        )  # fmt: skip
    return fields


def parse_choices(text: str) -> dict[str, str]:
    """`1, one | 2, two, or more` -> codes and labels; the bar may stand without spaces.

    A bar that no code follows belongs to the label before it: `1, uni|bilateral | 2, none`.
    """
    choices: dict[str, str] = {}
    last = ""
    for part in re.split(r"(\||\n)", text):
        code, comma, label = part.partition(",")
        if comma and re.fullmatch(r"[\w.+-]+", code.strip()):
            last = code.strip()
            choices[last] = label
        elif last:
            choices[last] += part
    return {code: plain_label(label.strip(" |\n")) for code, label in choices.items()}


def plain_label(text: str) -> str:
    """A label without HTML tags, line breaks and fields embedded in it (`{age}`)."""
    return " ".join(re.sub(r"<[^<>]+>|\{[a-z][a-z0-9_]*(:icons)?\}", " ", text).split())


def checkbox_column(name: str, code: str) -> str:
    """`f` and code `-1` -> `f____1`; letters become lower case."""
    return f"{name}___{re.sub(r'[^a-z0-9_]', '_', code.lower())}"


def is_box(column: str) -> bool:
    """`compl___3`: one answer of a field with boxes to tick, in an export of codes."""
    return bool(re.search(r"\w___\w", column))


def forms_by_place(header: Sequence[str]) -> dict[str, str]:
    """Column -> form, where no dictionary tells: the status of a form stands behind its fields."""
    forms: dict[str, str] = {}
    here: list[str] = []
    for title in header[1:]:
        if title.endswith("_complete") or COMPLETE_LABEL.fullmatch(title):
            forms |= dict.fromkeys(here, title)
            here = []
        elif fold(title) not in STRUCTURE and not title.startswith("redcap_"):
            here.append(title)
    return forms


def _implied(kind: str) -> dict[str, str]:
    return {"1": "Yes", "0": "No"} if kind == "yesno" else (
        {"1": "True", "0": "False"} if kind == "truefalse" else {}
    )  # fmt: skip


def names_for_labels(header: Sequence[str], fields: Mapping[str, Field]) -> dict[str, str]:
    """Header as exported -> field name, for exports whose headers are labels."""
    by_label = _by_label(header, fields)
    names: dict[str, str] = {}
    form = ""  # of the last field: `Complete?` stands at the end of each form
    for title in header:
        if title in fields or title.startswith("redcap_") or "___" in title:
            continue
        choice = TICKED_LABEL.fullmatch(title)
        asked = choice[1] if choice else title
        name = STRUCTURE.get(fold(asked)) or by_label.get(asked)
        field = fields.get(name or "")
        if field:
            form = field.form
        elif COMPLETE_LABEL.fullmatch(title) and form:
            name = f"{form}_complete"
        if field and choice:
            wanted = fold(choice[2])
            codes = [c for c, label in field.choices.items() if fold(label) == wanted]
            name = checkbox_column(field.name, codes[0]) if codes else None
        if name and name not in names.values():
            names[title] = name
    return names


def _by_label(header: Sequence[str], fields: Mapping[str, Field]) -> dict[str, str]:
    """Title without its choice -> field name; several fields may have one label, such as `Date`.

    An export keeps the order of the dictionary: where it has as many columns of a label as there are
    fields, each is the next of them. The reader tells them apart by a number, `Date (2)`.
    """
    found: dict[str, str] = {}
    for spelled in (squeeze, fold):
        named: dict[str, list[str]] = {}
        for one in fields.values():
            named.setdefault(spelled(one.label), []).append(one.name)
        titles: dict[str, list[str]] = {}
        for title in header:
            choice = TICKED_LABEL.fullmatch(title)
            asked = choice[1] if choice else title
            whole = spelled(plain_label(asked))
            own = whole if whole in named else spelled(re.sub(r" \(\d+\)$", "", plain_label(asked)))
            if asked not in found and asked not in titles.setdefault(own, []):
                titles[own].append(asked)
        for label, asked_for in titles.items():
            known = [name for name in named.get(label, ()) if name not in found.values()]
            if len(known) == len(asked_for):
                found |= dict(zip(asked_for, known, strict=True))
    return found
