"""Registry results as blocks: small counts hidden in every table, picture and file, synthetic data marked."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.disclosure import HIDDEN, LARGEST_HIDDEN, hide_shares, is_small
from vertebro_outcomes.display.figures.svg import save_svg
from vertebro_outcomes.report.blocks import (
    Block,
    FigureBlock,
    Heading,
    TableBlock,
    anchor,
    bound,
    joined,
    prose,
)
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry

_MOST_PROBLEMS: Final = 20
_FOLDERS: Final = re.compile(r"(?:/[^/\s:,]+)+/")
MARK: Final = "SYNTHETIC DATA"
Build = Callable[[RegistryAnalysis], tuple[Block, ...]]


def registry_section(order: int, title: str, build: Build) -> Section:
    """A section that shows `build` for every registry, or says that there is none."""

    def whole(study: Study) -> tuple[Block, ...]:
        read = [r for r in study.registries if isinstance(r, RegistryAnalysis)]
        if not read:
            return (prose("No registry export could be read, so there is nothing to show here."),)
        blocks: list[Block] = []
        for registry in read:
            if len(read) > 1:
                blocks.append(Heading(registry.name, f"{anchor(title)}-{anchor(registry.name)}"))
            blocks += [banner(registry), *build(registry)]
        return tuple(blocks)

    return Section(order=order, title=title, build=whole)


def banner(registry: RegistryAnalysis) -> Block:
    """Whose data these are; synthetic ones say so before anything else."""
    hidden = (
        bound("Counts from one to {most} are hidden.", most=numbers.count(registry.largest_hidden))
        if registry.largest_hidden
        else bound("Small counts are shown: for own use, not to be passed on.")
    )
    if registry.synthetic:
        return prose(
            "<strong>{mark}.</strong> {name}: made by a simulator to show what the report would "
            "look like. Nothing here follows for patients. {hidden}",
            mark=MARK, name=registry.name, hidden=hidden,
        )  # fmt: skip
    return prose("Registry: {name}. {hidden}", name=registry.name, hidden=hidden)


def unread(study: Study) -> tuple[Block, ...]:
    """Exports that were refused: where, what is allowed there, what to do; never what stands in a file."""
    blocks: list[Block] = []
    for failed in (r for r in study.registries if isinstance(r, UnreadRegistry)):
        problems = getattr(failed.error, "problems", ())
        said = [
            bound(
                "{where}: allowed is {allowed}",
                where=_place(problem.where),
                allowed=problem.allowed,
            )
            for problem in problems[:_MOST_PROBLEMS]
        ]
        rest = len(problems) - len(said)
        more = bound(" and {n} more", n=numbers.count(rest)) if rest else Markup("")
        blocks.append(
            prose(
                "<strong>{name} could not be read</strong>, so nothing of it is shown. {said}{more}. "
                "Next: {step}. What was found there is said by <code>vertebro check {name}</code>, not "
                "here: a file may hold names of patients.",
                name=failed.name, said=joined(said, "; "), more=more,
                step=getattr(failed.error, "next_step", "export it again"),
            )
        )  # fmt: skip
    return tuple(blocks)


def _place(where: str) -> str:
    """A place in an export without the folders that lead to it."""
    return _FOLDERS.sub("", where)


def picture(
    axes: Any, registry: RegistryAnalysis, *, name: str, alt: str, caption: str
) -> FigureBlock:
    """A figure with the mark of synthetic data on the picture itself."""
    figure = axes.get_figure(root=True)
    if registry.synthetic:
        figure.text(
            0.5, 0.5, MARK, ha="center", va="center", rotation=20, fontsize=26, alpha=0.12,
            color="#1a1a1a", zorder=10,
        )  # fmt: skip
        caption = f"{caption} {MARK.capitalize()}."
        alt = f"{MARK.capitalize()}. {alt}"
    return FigureBlock(name=own(registry, name), svg=save_svg(figure), alt=alt, caption=caption)


def table(
    frame: pd.DataFrame, registry: RegistryAnalysis, *, name: str, caption: str,
    labels: Mapping[str, str], numeric: Sequence[str] = (), data: pd.DataFrame | None = None,
) -> TableBlock:  # fmt: skip
    """A table whose file says synthetic in every row, unless its own column `data` says row by row."""
    held = frame if data is None else data
    if registry.synthetic:
        held = held if "data" in held else held.assign(data="synthetic")
        caption = f"{caption} ({MARK.lower()})"
    return TableBlock(
        name=own(registry, name), shown=frame, data=held, caption=caption, labels=labels,
        numeric=numeric,
    )  # fmt: skip


def own(registry: RegistryAnalysis, name: str) -> str:
    """A file name with the registry in it."""
    return f"registry_{anchor(registry.name).replace('-', '_')}_{name}"


def safe_count(value: Any, *, largest_hidden: int = LARGEST_HIDDEN) -> str:
    """A count that stands alone."""
    if pd.isna(value):
        return ""
    small = is_small([float(value)], largest_hidden=largest_hidden)[0]
    return HIDDEN if small else f"{int(value):,}"


def without_small_shares(
    frame: pd.DataFrame, *, count: str, total: str, with_it: Sequence[str],
    largest_hidden: int = LARGEST_HIDDEN,
) -> pd.DataFrame:  # fmt: skip
    """Counts beside their total, and whatever follows from them, hidden where they are small."""
    hidden = hide_shares(frame[count], frame[total], largest_hidden=largest_hidden)
    out = frame.copy()
    for column in (count, *with_it):
        out[column] = out[column].astype(object).mask(hidden, HIDDEN)
    small = is_small(frame[total], largest_hidden=largest_hidden)
    out[total] = out[total].astype(object).mask(small, HIDDEN)
    return out


def refusals(registry: RegistryAnalysis, about: Sequence[str]) -> tuple[Block, ...]:
    """Analyses that the data could not support; the reason without its counts."""
    lines = []
    for what, error in registry.failed:
        if any(word in what for word in about):
            where = ", ".join(problem.where for problem in getattr(error, "problems", ()))
            step = getattr(error, "next_step", "")
            lines.append(bound("{what}: {where}; {step}.", what=what, where=where, step=step))
    if not lines:
        return ()
    return (prose("Could not be computed: {lines}", lines=Markup(" ").join(lines)),)
