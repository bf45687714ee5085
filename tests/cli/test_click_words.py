"""What the library of the command line says of itself is said in the language spoken."""

import pytest

from qianheng.core.words import area
from tests.cli.conftest import Told


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        ("plan shw", "Error: No such command 'shw'. Did you mean 'show'?", "错误：没有命令 'shw'。是否想用 'show'？"),
        ("plan zzz", "Error: No such command 'zzz'.", "错误：没有命令 'zzz'。"),
        ("plan show", "Error: Missing argument 'PLAN'.", "错误：缺少参数 'PLAN'。"),
        ("experiment plan x", "Error: Missing option '--plan'.", "错误：缺少选项 '--plan'。"),
        ("plan show 1 --as", "Error: Option '--as' requires an argument.", "错误：选项 '--as' 需要一个值。"),
        ("plan list --json=1", "Error: Option '--json' does not take a value.", "错误：选项 '--json' 不带值。"),
        ("plan list --rum 1", "Error: No such option: --rum (Possible options: --run)",
         "错误：没有选项 --rum（可能是：--run）"),
        ("plan list --zzz", "Error: No such option: --zzz", "错误：没有选项 --zzz"),
        ("plan list 1 2", "Error: Got unexpected extra argument(s) (1 2)", "错误：多出的参数：1 2"),
        ("plan show x", "Error: Invalid value for 'PLAN': Input should be a valid integer, unable to parse string as"
         " an integer", "错误：'PLAN' 的值无效：应为整数"),
        ("money statement --limit 0", "Error: Invalid value for '--limit': Input should be greater than or equal to 1",
         "错误：'--limit' 的值无效：不得小于 1"),
    ],
)  # fmt: skip
def test_a_wrong_use_is_told_in_the_language_spoken(told: Told, arguments: str, english: str, chinese: str) -> None:
    for lang, expected in (("en", english), ("zh", chinese)):
        code, said = told("--lang", lang, *arguments.split())
        assert (code, said.splitlines()[-1]) == (2, expected)


def test_a_wrong_use_shows_how_it_is_used_and_where_help_is(told: Told) -> None:
    assert told("--lang", "en", "plan", "show") == (
        2,
        "Usage: qianheng plan show [OPTIONS] {PLAN}\nTry 'qianheng plan show -h' for help.\n\n"
        "Error: Missing argument 'PLAN'.\n",
    )
    assert told("--lang", "zh", "plan", "show") == (
        2,
        "用法：qianheng plan show [OPTIONS] {PLAN}\n可用 'qianheng plan show -h' 查看帮助。\n\n"
        "错误：缺少参数 'PLAN'。\n",
    )


@pytest.mark.parametrize("command", ["", "plan", "plan show", "claim queue", "experiment plan", "sync"])
def test_help_has_no_word_of_the_library_left(told: Told, command: str) -> None:
    english, chinese = (told("--lang", lang, *command.split(), "--help")[1] for lang in ("en", "zh"))
    for word in ("Usage: ", "Options:", "Show this message and exit."):
        assert word in english
        assert word not in chinese
    for word in ("Arguments:", "[required]", "[default:"):
        assert word not in chinese


def test_what_a_command_exits_with_stays(told: Told, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    assert told("metrics")[0] == 0
    assert told("plan")[0] == 2  # no command: help
    assert told("plan", "list")[0] == 2  # there is no run


def test_what_is_more_is_looked_for_first() -> None:
    """The first phrase that fits is said."""
    english = [phrase["en"] for phrase in area("click").values()]
    for shorter, longer in (("{text}  [default: {default}]", "{text}  [default: {default}; required]"),
                            ("No such command {name}.", "No such command {name}. Did you mean {known}?")):  # fmt: skip
        assert english.index(longer) < english.index(shorter)
