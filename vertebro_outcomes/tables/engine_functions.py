"""Functions of the engine itself, for which Ibis has no name that all engines know."""

from typing import Any


def fingerprint(engine: Any, text: Any) -> Any:
    """A whole number for a text, by which an engine groups and joins faster than by the text.

    Of 63 or 64 bits: that two of a million texts share one has a chance below one in ten million.
    """
    if engine.name == "duckdb":
        half = function("hash", ("string",), "uint64")(text) >> 1
        return half.cast("uint64").cast("int64")  # Ibis takes what is shifted for signed already
    return function("xxhash64", ("string",), "int64")(text)


def function(name: str, takes: tuple[str, ...], gives: str) -> Any:
    """A function of the engine itself, by its name, the types it takes and the type it gives."""
    import ibis

    def one(first: Any) -> Any: ...
    def two(first: Any, second: Any) -> Any: ...

    shape = one if len(takes) == 1 else two
    return ibis.udf.scalar.builtin(shape, name=name, signature=(takes, gives))


def raised(flags: Any) -> Any:
    """Every bit that one of the numbers of a group has."""
    import ibis

    def bit_or(number: Any) -> Any: ...

    signature = (("int64",), "int64")
    return ibis.udf.agg.builtin(bit_or, name="bit_or", signature=signature)(flags)
