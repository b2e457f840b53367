"""What every test shares."""

import gc
from collections.abc import Iterator

import coverage
import pytest

# Queries are built of millions of small objects; the collector need not look at them so often.
gc.set_threshold(20_000, 20, 50)

# Whole commands and inputs by the hundred: what they reach is counted by the tests of each module.
UNTRACED = ("tests/browser/", "tests/reliability/")


@pytest.fixture(scope="module", autouse=True)
def tracing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Branches are not traced where that tells nothing and takes half of the time."""
    tracer = coverage.Coverage.current()
    if tracer is None or not request.node.nodeid.startswith(UNTRACED):
        yield
        return
    tracer.stop()
    yield
    tracer.start()
