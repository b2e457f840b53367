"""`vertebro map`: what each column of an export seems to be, as a mapping file to correct."""

from pathlib import Path

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.files import files_of, read_file, require, unpacked
from vertebro_outcomes.loaders.load import NO_TABLE, formats
from vertebro_outcomes.loaders.proposed_mapping import ProposedMapping, propose_for
from vertebro_outcomes.tables.engine import embedded_engine


def propose_mapping(path: str | Path) -> ProposedMapping:
    """Propose a mapping for an export from its headers, labels and values.

    Parameters
    ----------
    path : str or Path
        A file or a folder of tables.

    Returns
    -------
    ProposedMapping
        `str()` is a mapping file to correct; `to_frame()` says how sure each line is.

    Raises
    ------
    LoadError
        If no file can be read.
    """
    path = Path(path)
    require(path)
    engine = embedded_engine()
    with unpacked(path) as folder:
        known = formats().values()
        best = max(known, key=lambda form: form.recognises(folder))
        if best.propose is not None and best.recognises(folder) > 0:
            proposal: ProposedMapping = best.propose(engine, folder)
            return proposal
        if not files_of(folder):
            problem = Problem(path.name, "no table in it", NO_TABLE)
            raise LoadError(path.name, [problem], "name the folder or file that holds the export")
        sources = [source for file in files_of(folder) for source in read_file(engine, file)]
    return propose_for(path.stem, sources)
