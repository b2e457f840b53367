"""Identifiers -> stable pseudonyms by keyed hash; the key belongs to the user, never to the data."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.tables.engine import function, store

if TYPE_CHECKING:
    import ibis.expr.types as ir

KEY_VARIABLE: Final = "VERTEBRO_PSEUDONYM_KEY"
KEY_FILE: Final = "vertebro/pseudonym.key"
# Not a secret: only data that say they are synthetic are ever read with it.
SYNTHETIC_KEY: Final = b"synthetic: no persons"
BLOCK: Final = 64  # bytes of a block of SHA-256
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
    """HMAC-SHA256 of an identifier, shortened: equal identifiers give equal pseudonyms."""
    digest = hmac.digest(key, f"{kind}\x1f{identifier}".encode(), hashlib.sha256)
    return kind + digest.hex()[:LENGTH]


def pseudonyms(engine: Any, identifiers: "ir.Table", key: bytes, *, kind: str) -> "ir.Table":
    """A table `raw, pseudo, number` for a one-column table of identifiers.

    Blanks around an identifier do not count. Equal pseudonyms have one number, by which a load
    joins rows: 1, 2, 3 ... in a fixed order, so that the joins of two runs are alike.
    """
    import pyarrow as pa

    if engine.name == "duckdb":
        return _numbered(engine, _on_duckdb(engine, identifiers, key, kind))
    raw = identifiers.to_pyarrow().column(0)
    made = [pseudonym(text.strip(), key, kind=kind) for text in raw.to_pylist()]
    numbers = {pseudo: place for place, pseudo in enumerate(sorted(set(made)), start=1)}
    columns = {"raw": raw, "pseudo": pa.array(made, pa.string())}
    columns["number"] = pa.array([numbers[pseudo] for pseudo in made], pa.int32())
    return store(engine, "pseudonyms", pa.table(columns))


def _numbered(engine: Any, names: "ir.Table") -> "ir.Table":
    """Each row its own number, unless several spellings share a pseudonym."""
    import ibis

    facts = names.aggregate(n=names.count(), people=names.pseudo.nunique())
    found = facts.to_pyarrow().to_pylist()[0]
    if found["n"] == found["people"]:
        return names
    window = ibis.window(group_by="pseudo")
    first = names.number.min().over(window)
    return store(engine, "pseudonyms", names.mutate(number=first))


def _on_duckdb(engine: Any, identifiers: "ir.Table", key: bytes, kind: str) -> "ir.Table":
    """The same HMAC-SHA256 by the engine: H(key ^ opad, H(key ^ ipad, kind, identifier)).

    Rows are stored before they are numbered: an engine that numbers as it reads uses one thread.
    """
    import ibis

    sha256 = function("sha256", ("binary",), "string")
    unhex = function("unhex", ("string",), "binary")
    hexed = function("hex", ("string",), "string")  # joined as text: joined bytes are text to some
    block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C))
    given = identifiers.columns[0]
    stored = store(engine, "identifiers", identifiers.order_by(given))
    raw = stored[given]
    message = hexed(ibis.literal(f"{kind}\x1f") + raw.strip())
    digest = sha256(unhex(ibis.literal(outer) + sha256(unhex(ibis.literal(inner) + message))))
    names = stored.select(
        raw=raw,
        pseudo=ibis.literal(kind) + digest.substr(0, LENGTH),
        number=(stored.rowid() + 1).cast("int32"),
    )
    return store(engine, "pseudonyms", names)
