"""Identifiers -> stable pseudonyms by keyed hash; the key belongs to the user, never to the data."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.cells import may_be_padded
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.engine_functions import fingerprint, function

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

KEY_VARIABLE: Final = "VERTEBRO_PSEUDONYM_KEY"
KEY_FILE: Final = "vertebro/pseudonym.key"
# Not a secret: only data that say they are synthetic are ever read with it.
SYNTHETIC_KEY: Final = b"synthetic: no persons"
ROUND: Final = b"\0\0\0\1"  # the counter of the only round
LENGTH: Final = 16  # 64 bits: one chance in 30 million of a collision among a million patients
UNLINKABLE: Final = (
    "patients carry pseudonyms made with a key that exists for this run only: runs cannot be "
    f"linked. Set {KEY_VARIABLE} or write a key to ~/.config/{KEY_FILE} to keep them stable"
)


def user_key() -> bytes | None:
    """The key from the environment, else from the user's configuration, else none."""
    given = os.environ.get(KEY_VARIABLE, "")
    if given:
        return given.encode()
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    try:
        return (Path(base) / KEY_FILE).read_bytes().strip() or None
    except OSError:
        return None


def random_key() -> bytes:
    """A key nobody keeps."""
    return secrets.token_bytes(32)


def pseudonym(identifier: str, key: bytes, *, kind: str = "P") -> str:
    """An identifier by a keyed hash, shortened: equal identifiers give equal pseudonyms.

    One round of SHA-256 over a counter, the hash of the key, and what is named. A quarter of the
    digest is shown: it cannot be extended to that of a longer text.

    Reference: NIST SP 800-56C Rev. 2, section 4.1, option 1. DOI 10.6028/NIST.SP.800-56Cr2
    """
    digest = hashlib.sha256(_before(key, kind) + identifier.encode())
    return kind + digest.hexdigest()[:LENGTH]


def _before(key: bytes, kind: str) -> bytes:
    """What is hashed before an identifier; with most of them it fits into one block."""
    return ROUND + hashlib.sha256(key).digest() + kind.encode() + b"\x1f"


@dataclass(frozen=True)
class Names:
    """`table` has `number, pseudo, person`: identifiers as written have numbers, persons pseudonyms.

    Blanks around an identifier do not count: of the numbers that share a pseudonym, one is the
    number of the `person`. Where no person has two, `is_plain`: each number is a person. `in_turn`
    where no identifier came twice.
    """

    table: "ir.Table"
    n_people: int
    is_plain: bool
    in_turn: bool = False

    @property
    def people(self) -> "ir.Table":
        """`number, pseudo`, each person once."""
        names = self.table
        own = names if self.is_plain else names.filter(names.number == names.person)
        return own.select("number", "pseudo")


def pseudonyms(
    engine: Any, identifiers: "ir.Table", key: bytes, *, kind: str, once: bool = False
) -> Names:
    """Names for a table `raw, number`: identifiers as written, and their numbers.

    Where each is expected `once`, repeated ones are counted before any are removed.

    Raises
    ------
    LoadError
        If two identifiers share a number.
    """
    spelled = identifiers.select("raw", "number")
    seen = _looked_at(spelled) if once else None
    in_turn = seen is not None and seen["n"] == seen["different"]
    names = _named(engine, spelled if in_turn else spelled.distinct(), key, kind)
    if in_turn and seen is not None and not seen["padded"]:
        plain = names.mutate(person=names.number)
        return Names(plain, seen["n"], is_plain=True, in_turn=True)
    if not in_turn and _repeats(names.number):
        raise _not_told_apart()
    counts = names.aggregate(n=names.count(), people=fingerprint(engine, names.pseudo).nunique())
    found = counts.to_pyarrow().to_pylist()[0]
    if found["people"] == found["n"]:
        plain = names.mutate(person=names.number)
        return Names(plain, found["n"], is_plain=True, in_turn=in_turn)
    person = names.number.min().over(group_by="pseudo")
    names = store(engine, "pseudonyms", names.mutate(person=person))
    return Names(names, found["people"], is_plain=False)


def _looked_at(spelled: "ir.Table") -> dict[str, int]:
    """How many numbers there are, how many `different` ones, and whether a text may be `padded`."""
    counts = spelled.aggregate(
        n=spelled.number.count(),
        different=spelled.number.nunique(),
        padded=may_be_padded(spelled.raw).any(),
    )
    return dict(counts.to_pyarrow().to_pylist()[0])


def _repeats(numbers: Any) -> bool:
    """Whether a number comes twice."""
    counts = numbers.as_table().aggregate(n=numbers.count(), different=numbers.nunique())
    found = counts.to_pyarrow().to_pylist()[0]
    return bool(found["different"] < found["n"])


def _named(engine: Any, spelled: "ir.Table", key: bytes, kind: str) -> "ir.Table":
    """`number, pseudo`; of numbers with an identifier each."""
    if engine.name != "duckdb":
        return _here(engine, spelled.to_pyarrow(), key, kind)
    pseudo = _on_duckdb(spelled.raw.strip(), key, kind)
    return store(engine, "pseudonyms", spelled.select("number", pseudo=pseudo))


def _not_told_apart() -> LoadError:
    found = "two identifiers of patients with the same 63-bit number"
    problem = Problem("identifiers", found, "a number for each, which nearly any spelling gives")
    step = "write the identifiers another way, such as with a letter in front of each"
    return LoadError("identifiers of patients", [problem], step)


def _here(engine: Any, spelled: "pa.Table", key: bytes, kind: str) -> "ir.Table":
    """The pseudonyms made in this process, for engines that have no such function."""
    import pyarrow as pa

    made = [pseudonym(text.strip(), key, kind=kind) for text in spelled["raw"].to_pylist()]
    columns = {"number": spelled["number"], "pseudo": pa.array(made, pa.string())}
    return store(engine, "pseudonyms", pa.table(columns))


def _on_duckdb(raw: Any, key: bytes, kind: str) -> Any:
    """The same hash by the engine."""
    import ibis

    # Bytes are called strings, for which `+` stands for the operator that all versions join both by.
    sha256, unhex, encode = (
        function(name, ("string",), "string") for name in ("sha256", "unhex", "encode")
    )
    digest = sha256(unhex(_before(key, kind).hex()) + encode(raw))
    return ibis.literal(kind) + digest.substr(0, LENGTH)
