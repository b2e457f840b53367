"""One file per registry format; each declares FORMAT and is found by `load`."""
