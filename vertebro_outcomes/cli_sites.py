"""Commands for registries that may not share patients."""

from pathlib import Path
from typing import Annotated

import typer

import vertebro_outcomes as vo
from vertebro_outcomes.tables.csv_text import csv_text


def site_summary(
    *,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="The export of one site, or its canonical folder."),
    ],
    site: Annotated[str, typer.Option(help="How the site is called in the combined result.")],
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The bundle, a JSON file.")
    ],
    treatment: Annotated[str, typer.Option(help="VP, KP, VA ...")] = "VA",
    comparator: Annotated[str, typer.Option(help="NSM, VP ...")] = "NSM",
    outcome: Annotated[str, typer.Option(help="Score: pain_vas, odi, rmdq ...")] = "pain_vas",
    day: Annotated[int, typer.Option(help="Day of the score.")] = 365,
    covariates: Annotated[str, typer.Option(help="Names with commas between.")] = "baseline",
    event: Annotated[str, typer.Option(help="fracture, death or a complication.")] = "fracture",
) -> None:
    """Write what this site can share: sums, curves and counts without small numbers; no patients."""
    bundle = vo.site_summary(
        vo.load(path), site=site, treatment=treatment, comparator=comparator, outcome=outcome, day=day,
        covariates=[name.strip() for name in covariates.split(",") if name.strip()], event=event,
    )  # fmt: skip
    bundle.write(output)
    typer.echo(str(bundle))
    for note in bundle.notes:
        typer.echo(f"  note: {note}")
    typer.echo(f"{output} is written; read it before it leaves")


def combine(
    paths: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE...", help="Bundles of two or more sites.")
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Print the results as CSV.")] = False,
) -> None:
    """Combine the bundles of several sites, and say what is exact and what is approximate."""
    found = vo.combine_sites(paths)
    if csv:
        typer.echo(csv_text(found.to_frame()), nl=False)
        return
    title, *lines = str(found).rstrip(".").split("; ")
    typer.echo(title)
    for line in lines:
        typer.echo(f"  {line}")
    for name, table in found.tables().items():
        typer.echo(f"\n{name}")
        rounded = table.to_string(index=False, float_format="{:.4g}".format, na_rep="hidden")
        typer.echo(rounded)
    if found.notes:
        typer.echo()
    for note in found.notes:
        typer.echo(f"note: {note}")
