"""One run for all tests of this folder that only read it."""

import pytest

from qianheng.actions.simulation import RunFolder
from tests.actions import runs_for_tests
from tests.store.conftest import engine, postgresql, url

__all__ = ["engine", "postgresql", "url"]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return runs_for_tests.lived(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def missed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose plans miss their targets: some days are compensated, one is void, a boost stands apart."""
    return runs_for_tests.missed(tmp_path_factory.mktemp("runs"))
