"""One file per export format; each declares EXPORT."""
