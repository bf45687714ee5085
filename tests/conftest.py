"""For every test: a busy machine is no failure, so Hypothesis neither times examples nor minds slow ones; and whatever
language a test speaks, the next one begins in English.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from qianheng.core.words import speaking

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Speak English, and forget afterwards what was chosen meanwhile."""
    with speaking("en"):
        yield
