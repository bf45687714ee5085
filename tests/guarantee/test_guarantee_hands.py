"""Cases answered by many processes: the bytes are those of one, faults are told by line, nothing is printed half."""

from pathlib import Path
from typing import Any

import pytest

from qianheng.cli import hands
from qianheng.cli.cases import question
from qianheng.cli.guarantee import _answer
from qianheng.core.errors import BadInput
from qianheng.guarantee.explain import explain
from tests.guarantee.test_guarantee_cli import case, run, write

__all__ = ["run"]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands, "BLOCK_BYTES", 4096)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_the_answers_of_many_processes_are_those_of_one_byte_by_byte(run: Any, command: str) -> None:
    write("cases.jsonl", *(case(1 + i % 13, unit={**case()["unit"], "plan_id": i}) for i in range(60)))
    outputs = {workers: run(command, "cases.jsonl", "--json", "--workers", workers) for workers in ("1", "2", "3")}
    assert [code for code, _, _ in outputs.values()] == [0, 0, 0]
    assert len(outputs["1"][1].splitlines()) == 60
    assert outputs["1"] == outputs["2"] == outputs["3"]


@pytest.mark.usefixtures("small_blocks")
def test_many_processes_tell_a_bad_line_by_its_number_and_print_nothing(run: Any) -> None:
    Path("cases.jsonl").write_text("")
    write("cases.jsonl", *[case()] * 57, case(now="soon"), *[case()] * 20)
    lines = Path("cases.jsonl").read_bytes().splitlines(keepends=True)
    Path("cases.jsonl").write_bytes(b"".join([*lines[:5], b"\n", *lines[5:], b"{"]))
    code, out, err = run("evaluate", "cases.jsonl", "--json", "--workers", "3")
    assert (code, out) == (2, "")
    assert "cases.jsonl:59: " in err
    assert "cases.jsonl:80: " in err
    assert err.count("cases.jsonl:") == 3  # the file, and two lines of it


@pytest.mark.usefixtures("small_blocks")
def test_only_a_few_blocks_are_out_at_a_time(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("cases.jsonl", *[case()] * 60)
    taken: list[int] = []
    blocks = hands._blocks

    def counted(path: Path) -> Any:
        for block in blocks(path):
            taken.append(block.first)
            yield block

    monkeypatch.setattr(hands, "_blocks", counted)
    answers = hands.answers(question("cases.jsonl", "", ""), _answer, 2)
    next(answers)
    assert len(taken) == 2 * hands.BLOCKS_A_WORKER + 1


def test_a_file_that_is_not_there_is_told_before_any_process_starts(run: Any) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        next(hands.answers(question("nowhere.jsonl", "", ""), explain, 2))
