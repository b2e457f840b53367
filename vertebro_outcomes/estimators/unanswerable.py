"""What an estimator says when the data cannot answer: a reason in words instead of a number."""


class UnanswerableError(Exception):
    """The data do not determine the estimate; `str()` is the reason, fit for a sentence."""
