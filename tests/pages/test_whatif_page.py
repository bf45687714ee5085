"""The page of a what-if: whole in itself, its figures those of the answer, in both languages."""

import shutil
from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder
from tests.actions import runs_for_tests
from tests.actions.conftest import Say, say

__all__ = ["say"]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return runs_for_tests.lived(tmp_path_factory.mktemp("whatif"))


@pytest.mark.parametrize(("language", "words"), [("en", "as you ask"), ("zh", "所问设置")])
def test_a_page_is_written_whole_beside_the_table(
    lived: RunFolder, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    shutil.copytree(lived.path, tmp_path / "runs" / lived.path.name)
    file = tmp_path / "page.html"
    say("--lang", language, "what-if", "--plan", "1", "--target", "2.2", "--html", str(file))
    page = file.read_text(encoding="utf-8")
    assert words in page
    assert page.count('class="canvas"') == 2
    assert "http://" not in page.split("<script>", maxsplit=1)[0]
    assert "2.20" in page
