"""Commands around registry exports."""

from pathlib import Path
from typing import Annotated

import typer

import vertebro_outcomes as vo
from vertebro_outcomes.cli_steps import Progress, step

Export = Annotated[Path, typer.Argument(metavar="PATH", help="A registry export: file or folder.")]
FormatName = Annotated[
    str, typer.Option("--format", help="auto, canonical, flat, omop, redcap or your own.")
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="Mapping file (TOML).")
]


def check(path: Export, form: FormatName = "auto", mapping: MappingFile = None) -> None:
    """List everything that is wrong with a registry export; writes nothing."""
    found = vo.check(path, format=form, mapping=mapping, step=Progress())
    typer.echo(str(found))
    if not found.is_clean:
        raise typer.Exit(1)


def normalise(
    path: Export,
    form: FormatName = "auto",
    mapping: MappingFile = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FOLDER", help="data/processed/registries/NAME if left out."
        ),
    ] = None,
) -> None:
    """Turn a registry export into canonical Parquet with rejects.csv and accounting.csv."""
    folder = output or Path("data/processed/registries") / path.stem
    progress = Progress()
    with progress(f"loading {path}"):
        cohort = vo.normalise(path, folder, format=form, mapping=mapping, step=progress)
    typer.echo(str(cohort))
    typer.echo(cohort.accounting.to_string(index=False))
    typer.echo(f"{folder}/ holds the tables, rejects.csv ({len(cohort.rejects)} lines)")


def propose(path: Export) -> None:
    """Propose a mapping file for an export, with how sure it is of each line."""
    typer.echo(str(vo.propose_mapping(path)), nl=False)


def simulate(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder.")],
    patients: Annotated[int, typer.Option(help="Number of patients.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    scenario: Annotated[
        str, typer.Option(help="null, randomised, confounded, unmeasured, immortal_time ...")
    ] = "confounded",
    form: Annotated[
        str,
        typer.Option("--format", help="canonical, csv, excel, omop, redcap, spss or stata."),
    ] = "canonical",
    dirt: Annotated[bool, typer.Option(help="Inject errors, with a list of them.")] = False,
) -> None:
    """Write a synthetic registry with known truth: canonical tables, or an export in any format."""
    with step(f"simulating {patients:,} patients"):
        if form == "canonical" and not dirt:
            truth = vo.simulate_to(out, n_patients=patients, seed=seed, scenario=scenario)
            said = str(truth)
        else:
            cohort, truth = vo.simulate_registry(n_patients=patients, seed=seed, scenario=scenario)
            errors = vo.export_registry(cohort, out, format=form, dirt=dirt, seed=seed)
            said = f"{cohort}\n{len(errors)} errors put in" if dirt else str(cohort)
    typer.echo(said)
    typer.echo(f"{out}/ is written")
