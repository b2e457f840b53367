"""The report: every section built, one page, its tables and figures beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Literal

from markupsafe import Markup

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.loaders.literature import Literature
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.blocks import FigureBlock, TableBlock, bound, flat
from vertebro_outcomes.report.files import write_folder
from vertebro_outcomes.report.page import Part, render_page
from vertebro_outcomes.report.section import Section, sections
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.typeset import render_pdf
from vertebro_outcomes.results.answer import Answer
from vertebro_outcomes.results.examined_claims import ExaminedClaims
from vertebro_outcomes.results.network_effect import NetworkEffect
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.results.reported_findings import ReportedFindings
from vertebro_outcomes.results.reproduction import Reproduction

Step = Callable[[str], AbstractContextManager[object]]

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
    settings: ReportSettings | None = None,
    formats: Collection[Literal["html", "pdf"]] = ("html", "pdf"),
    step: Step = nullcontext,
) -> None:
    """Write the report into `folder`: page and PDF, `tables/*.csv`, `figures/*.svg`, `provenance.json`.

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
    settings : ReportSettings, optional
        Title and sections; see `load_settings`.
    formats : collection of {"html", "pdf"}
        The page is always written with its tables and figures; without "pdf" it is not typeset.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.
    """
    study = Study(
        literature=literature,
        answers=tuple(answers),
        findings=findings,
        reproduction=reproduction,
        versions=inputs["versions"],
        registries=tuple(registries),
        claims=claims,
        networks=tuple(networks),
        settings=settings or ReportSettings(),
    )
    with step("building the sections"):
        parts = [
            _build(section, study)
            for section in sections()
            if study.settings.prints(section.identity)
        ]
    with step("writing the page"):
        files = render_files(parts, study)
    if "pdf" in formats:
        with step("typesetting the PDF"):
            files[PDF] = render_pdf(
                parts, title=_title(study), lead=_lead(study), closing=_closing(study)
            )
    write_folder(folder, files, provenance={"inputs": dict(inputs)})


def render_files(parts: Sequence[Part], study: Study) -> dict[str, bytes]:
    """Every file of the report by its path in the folder; a name used twice is a bug."""
    page = render_page(parts, title=_title(study), lead=_lead(study), closing=_closing(study))
    files = {PAGE: page.encode()}
    for block in (block for part in parts for block in flat(part.blocks)):
        match block:
            case FigureBlock():
                name, content = f"figures/{block.name}.svg", block.svg.encode()
            case TableBlock():
                csv = block.data.to_csv(index=False, lineterminator="\n")
                name, content = f"tables/{block.name}.csv", csv.encode()
            case _:
                continue
        assert name not in files, f"two blocks are called {name}"
        files[name] = content
    return files


def _build(section: Section, study: Study) -> Part:
    blocks = section.build(study)
    assert blocks, f"section {section.title!r} is empty"
    return Part(section.title, section.identity, blocks)


def _title(study: Study) -> str:
    return study.settings.title or TITLE


def _lead(study: Study) -> Markup:
    return bound(
        "Vertebroplasty (VP) and balloon kyphoplasty (KP) against non-surgical management (NSM), "
        "sham procedures and each other, computed from figures printed in {studies} publications. "
        "Every number links to the row of data it rests on.",
        studies=count(len(study.literature.studies)),
    )


def _closing(study: Study) -> Markup:
    return bound(
        "Made with {versions}. The same data and versions give the same page, byte for byte.",
        versions=", ".join(f"{name} {version}" for name, version in study.versions.items()),
    )
