"""The report: every section built, one page, its tables and figures beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.blocks import bound
from vertebro_outcomes.report.derived import reader_of
from vertebro_outcomes.report.files import write_folder
from vertebro_outcomes.report.literature_steps import PRINTED, SHEETS
from vertebro_outcomes.report.page import render_page
from vertebro_outcomes.report.rendered import Rendered, render_section
from vertebro_outcomes.report.section import Section, sections
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.typeset import render_pdf, typst_source
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.results.reported_findings import ReportedFindings
from vertebro_outcomes.results.reproduction import Reproduction

StepShown = Callable[[str], AbstractContextManager[object]]
Format = Literal["html", "pdf"]

PAGE: Final = "vertebral_augmentation.html"
PDF: Final = "vertebral_augmentation.pdf"
TITLE: Final = (
    "Vertebroplasty, balloon kyphoplasty and non-surgical care: what published studies show"
)


def build_report(
    literature: Literature,
    answers: Sequence[tuple[Question, Answer]],
    *,
    findings: ReportedFindings,
    reproduction: Reproduction,
    folder: Path,
    inputs: Mapping[str, Any],
    registries: Sequence[RegistryAnalysis | UnreadRegistry] = (),
    claims: ExaminedClaims | None = None,
    networks: Sequence[tuple[Question, NetworkEffect]] = (),
    device_reports: pd.DataFrame | None = None,
    settings: ReportSettings | None = None,
    formats: Collection[Format] = ("html", "pdf"),
    step: StepShown = nullcontext,
) -> None:
    """Write the report into `folder`: page and PDF, `tables/*.csv`, `figures/*.svg|png`, `provenance.json`.

    Parameters
    ----------
    literature : Literature
        The canonical literature tables.
    answers : sequence of (Question, Answer)
        In the order of `QUESTIONS`.
    findings : ReportedFindings
        Of `check_reported` on the same literature.
    reproduction : Reproduction
        Of `reproduce_literature` on the same literature.
    folder : Path
        Made if it is not there; files of a former run that are no longer written are removed.
    inputs : mapping
        What `report.digest.inputs_of` says about the inputs; kept in `provenance.json`.
    registries : sequence
        Of `analyse_registry`, or why an export could not be read.
    claims : ExaminedClaims, optional
        Of `examine_claims` on the same literature.
    networks : sequence of (Question, NetworkEffect)
        Of `literature_network`, one per question of `LITERATURE_NETWORKS` that has an answer.
    device_reports : DataFrame, optional
        Of `device_reports_of`.
    settings : ReportSettings, optional
        Title and sections; see `load_settings`.
    formats : collection of {"html", "pdf"}
        The page is always written with its tables and figures; without "pdf" it is not typeset.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.
    """
    settings = settings or ReportSettings()
    pieces: dict[str, Any] = {
        **{f"sheet {name}": getattr(literature, name) for name in SHEETS},
        **{f"printed {name}": literature.printed[name] for name in PRINTED},
        **{f"answer {question.id}": answer for question, answer in answers},
        "questions": [question for question, _ in answers],
        "findings": findings,
        "reproduction": reproduction,
        "registries": registries,
        "device reports": pd.DataFrame() if device_reports is None else device_reports,
        "claims": claims,
        "networks": networks,
        "settings": settings,
        "versions": inputs["versions"],
    }
    study = Study(reader_of(pieces))
    with step("building the sections"):
        parts = [build_section(section, study) for section in printed_sections(settings)]
    files, source = assemble(
        parts, title=settings.title or TITLE, lead=lead(study), closing=closing(inputs["versions"])
    )
    if "pdf" in formats:
        with step("typesetting the PDF"):
            files[PDF] = render_pdf(source, files)
    write_folder(folder, files, provenance={"inputs": dict(inputs)})


def printed_sections(settings: ReportSettings) -> list[Section]:
    """The sections that the settings leave in, in printing order."""
    return [section for section in sections() if settings.prints(section.identity)]


def build_section(section: Section, study: Study) -> Rendered:
    """One section as text and files."""
    blocks = section.build(study)
    assert blocks, f"section {section.title!r} is empty"
    return render_section(section.title, section.identity, blocks)


def assemble(
    parts: Sequence[Rendered], *, title: str, lead: Markup, closing: Markup
) -> tuple[dict[str, bytes], str]:
    """Every file of the report but the PDF, by path, and the Typst document of the PDF."""
    page = render_page(parts, title=title, lead=lead, closing=closing)
    files = {PAGE: page.encode()}
    for part in parts:
        twice = sorted(set(files) & set(part.files))
        assert not twice, f"two blocks are called {twice}"
        files |= part.files
    texts = [part.typst for part in parts]
    return files, typst_source(texts, title=title, lead=lead, closing=closing)


def lead(study: Study) -> Markup:
    """The line below the title."""
    return bound(
        "Vertebroplasty (VP) and balloon kyphoplasty (KP) against non-surgical management (NSM), "
        "sham procedures and each other, computed from figures printed in {studies} publications. "
        "Every number links to the row of data it rests on.",
        studies=count(study.n_studies),
    )


def closing(versions: Mapping[str, str]) -> Markup:
    """The last line."""
    return bound(
        "Made with {versions}. The same data and versions give the same page, byte for byte.",
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
    )
