"""The report from a folder of raw data; what did not change since the last time is kept."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from vertebro_outcomes.loaders.literature import load_literature
from vertebro_outcomes.loaders.literature.claims import load_claims
from vertebro_outcomes.meta_analysis.check_reported import check_reported
from vertebro_outcomes.meta_analysis.claims import examine_claims, questions_about
from vertebro_outcomes.meta_analysis.question_list import QUESTIONS
from vertebro_outcomes.meta_analysis.questions import answer
from vertebro_outcomes.meta_analysis.reproduce_literature import reproduce_literature
from vertebro_outcomes.report.build import (
    PDF,
    TITLE,
    Format,
    StepShown,
    assemble,
    build_section,
    closing,
    lead,
    printed_sections,
)
from vertebro_outcomes.report.content_hash import content_hash
from vertebro_outcomes.report.derived import derived_step
from vertebro_outcomes.report.digest import require_unchanged
from vertebro_outcomes.report.files import write_folder
from vertebro_outcomes.report.gather import device_reports_of
from vertebro_outcomes.report.literature_steps import PRINTED, SHEETS, noted_literature
from vertebro_outcomes.report.registries import analyse_registries
from vertebro_outcomes.report.rendered import Rendered
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.steps import Read, Step, Steps
from vertebro_outcomes.report.store import Store
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.typeset import render_pdf
from vertebro_outcomes.results.examined_claims import ExaminedClaims

_LEAD = "lead"


def make_report(
    data: Path,
    *,
    output: Path,
    inputs: Mapping[str, Any],
    settings: ReportSettings | None = None,
    formats: Collection[Format] = ("html", "pdf"),
    step: StepShown = nullcontext,
) -> tuple[str, ...]:
    """Write the report about a folder of raw data, computing again only what its changes touch.

    Parameters
    ----------
    data : Path
        With literature/ inside, and registries/ if there are any.
    output : Path
        As for `build_report`; what later runs need to know lies in its hidden folder .steps.
    inputs : mapping
        What `report.digest.inputs_of` says about `data`.
    settings : ReportSettings, optional
        See `load_settings`.
    formats : collection of {"html", "pdf"}
        As for `build_report`.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.

    Returns
    -------
    tuple of str
        Names of the steps that ran, in their order; a first run runs all.
    """
    settings = settings or ReportSettings()
    store = Store(output, base=content_hash([inputs["package"], inputs["versions"]]))
    own = _steps(data, settings, step)
    steps = Steps(
        steps=lambda name: own.get(name) or derived_step(name),
        leaves=_leaves(inputs, settings),
        former=store.traces(),
        kept=store.value,
        show=step,
    )
    printed = [section.identity for section in printed_sections(settings)]
    with step("building what changed"):
        parts = {name: _part(name, steps, store) for name in (_LEAD, *printed)}
    files, source = assemble(
        [parts[name] for name in printed],
        title=settings.title or TITLE,
        lead=parts[_LEAD].html,
        closing=closing(inputs["versions"]),
    )
    if "pdf" in formats:
        key = content_hash([source, *(content for _, content in sorted(files.items()))])
        kept = store.kept_file(PDF, key)
        if kept is None:
            with step("typesetting the PDF"):
                kept = render_pdf(source, files)
            steps.ran.append("pdf")
        files[PDF] = kept
        store.keep_file(PDF, key, kept)
    require_unchanged(data, inputs)
    write_folder(output, files, provenance={"inputs": dict(inputs)})
    store.write(steps.traces, parts, steps.values_to_keep())
    return tuple(steps.ran)


def _part(name: str, steps: Steps, store: Store) -> Rendered:
    """A section as it was kept, or built again."""
    full = f"section {name}"
    if steps.is_fresh(full):
        kept = store.part(name)
        if kept is not None:
            steps.digest(full)
            return kept
    built: Rendered = steps.value(full)
    return built


def _leaves(inputs: Mapping[str, Any], settings: ReportSettings) -> dict[str, str]:
    """Hashes of what is read from outside: files of the data, and the settings."""
    files: Mapping[str, str] = inputs["data"]
    sheets = {f"literature/{name}.csv" for name in PRINTED}
    return {
        "files of sheets": content_hash([f for f in files.items() if f[0] in sheets]),
        "files of literature": content_hash(
            [f for f in files.items() if f[0].startswith("literature/")]
        ),
        "files of registries": content_hash(
            [f for f in files.items() if f[0].startswith("registries/")]
        ),
        "files of device reports": content_hash(
            [f for f in files.items() if f[0].startswith("device_reports/")]
        ),
        "file of claims": content_hash(files.get("literature/claims.csv")),
        "settings record": content_hash(settings.record()),
    }


def _steps(data: Path, settings: ReportSettings, shown: StepShown) -> dict[str, Step]:
    questions = settings.asked(QUESTIONS)
    return {
        "literature": Step(partial(_literature, data / "literature"), f"reading {data}"),
        **{f"sheet {name}": Step(partial(_sheet, name)) for name in SHEETS},
        **{f"printed {name}": Step(partial(_printed, name)) for name in PRINTED},
        "sheet folder": Step(partial(_folder, data / "literature"), digest=None),
        "settings": Step(lambda read: (read("settings record"), settings)[1]),
        "questions": Step(lambda read: (read("settings record"), questions)[1]),
        **{
            f"answer {question.id}": Step(partial(_answer, question), keep=True)
            for question in questions
        },
        "findings": Step(
            lambda read: check_reported(noted_literature(read)),
            "checking printed numbers against each other",
            keep=True,
        ),
        "reproduction": Step(
            lambda read: reproduce_literature(noted_literature(read)),
            "computing published reviews again",
            keep=True,
        ),
        "claims": Step(partial(_claims, data / "literature"), "examining the claims", keep=True),
        "device reports": Step(partial(_device_reports, data / "device_reports"), digest=None),
        "registries": Step(partial(_registries, data / "registries", settings, shown), digest=None),
        f"section {_LEAD}": Step(_lead_part),
        **{
            f"section {section.identity}": Step(partial(_section, section))
            for section in printed_sections(settings)
        },
    }


def _literature(folder: Path, read: Read) -> Any:
    read("files of sheets")
    return load_literature(folder)


def _folder(folder: Path, read: Read) -> Path:
    """Whoever asks for the folder may read any file in it."""
    read("files of literature")
    return folder


def _sheet(name: str, read: Read) -> Any:
    return getattr(read("literature"), name)


def _printed(name: str, read: Read) -> Any:
    return read("literature").printed[name]


def _answer(question: Any, read: Read) -> Any:
    return answer(question, noted_literature(read))


def _claims(folder: Path, read: Read) -> ExaminedClaims | None:
    read("file of claims")
    if not (folder / "claims.csv").is_file():
        return None
    rows = load_claims(folder)
    asked = questions_about(rows)
    answers = Study(read).about(lambda question: question.id in asked)
    return examine_claims(noted_literature(read), claims=rows, answers=answers)


def _device_reports(folder: Path, read: Read) -> Any:
    read("files of device reports")
    return device_reports_of(folder)


def _registries(folder: Path, settings: ReportSettings, shown: StepShown, read: Read) -> Any:
    read("files of registries")
    read("settings record")
    return analyse_registries(
        folder, settings=settings, step=shown, published_rate=read("published rate")
    )


def _section(section: Section, read: Read) -> Rendered:
    return build_section(section, Study(read))


def _lead_part(read: Read) -> Rendered:
    return Rendered("", _LEAD, lead(Study(read)), "")
