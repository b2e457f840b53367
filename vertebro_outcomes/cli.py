"""The commands: the only place that reads arguments, prints, and decides an exit status."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import vertebro_outcomes as vo
from vertebro_outcomes.cli_registries import check, normalise, propose, simulate
from vertebro_outcomes.cli_sites import combine, site_summary
from vertebro_outcomes.cli_steps import Progress, counted, step
from vertebro_outcomes.errors import InputError, LoadError, Problem, VertebroError, refuse_argument
from vertebro_outcomes.report.digest import inputs_of, is_current, require_unchanged
from vertebro_outcomes.tables.csv_text import csv_text

USER_MISTAKE = 2
# Matrix products summed by several threads differ in the last digit with the number of threads; the
# libraries read these names once, when they load, and notebook kernels inherit them.
_ONE_THREAD = ("OMP", "OPENBLAS", "MKL")

app = typer.Typer(
    name="vertebro",
    help="Outcomes of vertebroplasty, balloon kyphoplasty and non-surgical care. Exit status: 0 "
    "fine, 1 the answer is no, 2 a mistake in what was asked.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RawFolder = Annotated[
    Path, typer.Option("--data", metavar="FOLDER", help="Raw data, with literature/ inside.")
]


def main() -> None:
    """Run the command line; a mistake of the user ends with one message and exit status 2."""
    os.environ.update({f"{library}_NUM_THREADS": "1" for library in _ONE_THREAD})
    try:
        app()
    except VertebroError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")


def _fail(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
    sys.exit(USER_MISTAKE)


def _raw_inputs(raw: Path, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    if not raw.is_dir():
        found = "not a folder" if raw.exists() else "no such folder"
        problem = Problem("folder of raw data", found, "a folder with literature/ inside")
        raise LoadError(str(raw), [problem], "run this in the project folder, or name it: --data")
    return inputs_of(raw, settings=settings)


@app.command()
def report(
    data: RawFolder = Path("data/raw"),
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help="Where the report is written.")
    ] = Path("reports"),
    notebooks: Annotated[
        Path, typer.Option("--notebooks", metavar="FOLDER", help="Run and exported beside it.")
    ] = Path("analyses"),
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            help="vertebro.toml of the data or this folder if left out.",
        ),
    ] = None,
) -> None:
    """Analyse the data and write the report; does nothing if nothing changed."""
    place = settings or vo.find_settings(data, Path())
    inputs = _raw_inputs(data, vo.load_settings(place).record() if place else None)
    if is_current(output, inputs):
        typer.echo(f"{output}/ is up to date")
        _run_notebooks(notebooks, output / "notebooks", inputs)
        return
    chosen = vo.load_settings(place)
    vo.make_report(data, output=output, settings=chosen, inputs=inputs, step=Progress())
    _run_notebooks(notebooks, output / "notebooks", inputs)
    typer.echo(f"{output}/ is written")


def _run_notebooks(folder: Path, output: Path, inputs: dict[str, Any]) -> None:
    """Run what changed; a notebook that fails is named and stops nothing."""
    done = vo.run_notebooks(folder, output=output, inputs=inputs, step=step)
    for problem in done.failed:
        typer.echo(f"notebook not exported: {problem}", err=True)


@app.command()
def data(
    data: RawFolder = Path("data/raw"),
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help="Where the tables are written.")
    ] = Path("data/processed"),
) -> None:
    """Read the raw data, every registry export too, and write the canonical tables as Parquet."""
    inputs = _raw_inputs(data)
    changed = not is_current(output, inputs)
    if changed:
        with step(f"reading {data}"):
            literature = vo.load_literature(data / "literature")
            require_unchanged(data, inputs)
        with step(f"writing {output}"):
            vo.write_tables(literature, folder=output, inputs=inputs)
    normalised = vo.normalise_all(data / "registries", output / "registries", step=step)
    changed |= any(export.outcome == "written" for export in normalised)
    typer.echo(f"{output}/ is {'written' if changed else 'up to date'}")
    failed = [str(export.reason) for export in normalised if export.reason]
    for reason in failed:
        typer.echo(reason, err=True)
    raise typer.Exit(1 if failed else 0)


@app.command()
def pool(
    *,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A CSV file, one row per study.")],
    measure: Annotated[str, typer.Option(help="RR, OR, RD, MD, SMD, HR, PLO ... or GEN.")],
    method: Annotated[str | None, typer.Option(help="REML, DL, PM, EE ...")] = None,
    ci: Annotated[str | None, typer.Option(help="wald, hksj or hksj_adhoc.")] = None,
    level: Annotated[float, typer.Option(help="Confidence level, between 0 and 1.")] = 0.95,
    dialect: Annotated[str, typer.Option(help="Whose defaults to use.")] = "metafor",
    csv: Annotated[bool, typer.Option("--csv", help="Print the result as CSV.")] = False,
) -> None:
    """Pool the studies of a CSV file."""
    table = vo.read_table(path)
    try:
        es = vo.effect_sizes(table, measure=measure, dialect=dialect)
    except InputError as error:
        raise InputError(str(path), error.problems, error.next_step) from None
    fit = vo.pool(es, method=method, ci=ci, level=level, dialect=dialect)
    if csv:
        typer.echo(csv_text(fit.to_frame(scale="natural")), nl=False)
        return
    typer.echo(str(fit))
    for excluded in fit.excluded:
        typer.echo(f"  left out: {excluded.study}: {excluded.reason}")
    for note in fit.notes:
        typer.echo(f"  note: {note}")


@app.command()
def reproduce(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH", help="A review: .rm5, RevMan zip or folder, CSV, or its name."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Also write a CSV file and a page there."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template", metavar="REVIEW", help="Write an empty extraction sheet instead."
        ),
    ] = None,
) -> None:
    """Compute a published review again; exit status 1 where a number is not reproduced."""
    if template is not None:
        written = vo.write_extraction_template(template, output or Path())
        typer.echo(f"{written}/ is written: fill in inputs.csv, then run vertebro reproduce on it")
        return
    if path is None:
        raise refuse_argument("reproduce", "PATH", "nothing", "a review file, folder or name")
    found = vo.reproduce(path, progress=counted("results computed again"))
    if output is not None:
        vo.write_reproduction(found, output)
    typer.echo(found.to_text())
    raise typer.Exit(0 if found.all_reproduced else 1)


app.command()(check)
app.command()(normalise)
app.command("map")(propose)
app.command()(simulate)
app.command("site-summary")(site_summary)
app.command("combine")(combine)
