"""One run for all tests of this folder that only read it."""

import pytest
from tests.actions import runs_for_tests

from qianheng.actions.simulation import RunFolder


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return runs_for_tests.lived(tmp_path_factory.mktemp("runs"))
