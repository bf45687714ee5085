"""A room imports only from rooms below its own line; rooms on one line do not know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "qianheng"

# From top to bottom. A room may import any room on a lower line, and itself.
LINES = (
    ("cli",),
    ("pages",),
    ("actions",),
    ("store", "simulator", "vendors"),
    ("delivery", "strategy", "experiments"),
    ("diagnosis",),
    ("guarantee", "bidding"),
    ("measures", "prediction", "auction", "incentives"),
    ("facts",),
    ("plans", "ledger"),
    ("core",),
)
LINE_OF = {room: line for line, rooms in enumerate(reversed(LINES)) for room in rooms}
NOT_EVEN_FROM_ABOVE = {("simulator", "delivery")}  # a market never sees the reasons behind a bid

# Outside libraries of the lower rooms; the edges and I/O rooms use what they need.
LIBRARIES = {
    "core": {"holidays"},
    "plans": set(),
    "ledger": set(),
    "facts": {"numpy", "pyarrow"},
    "measures": {"numpy", "pyarrow"},
    "prediction": {"numpy", "pyarrow"},
    "auction": {"numpy"},
    "incentives": set(),
    "guarantee": set(),
    "bidding": {"numpy"},
    "diagnosis": {"numpy"},
    "strategy": {"numpy"},
    "experiments": {"numpy", "scipy"},
    "delivery": {"numpy", "pyarrow"},
    "simulator": {"numpy"},
    "pages": {"fpdf", "pylopdf_fonts_zh_cn"},
}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the room's full name"
            yield node.lineno, node.module or ""
            if node.module == "qianheng":
                yield from ((node.lineno, f"qianheng.{alias.name}") for alias in node.names)


def test_every_room_has_a_line() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms <= LINE_OF.keys(), f"give these rooms a line: {sorted(rooms - LINE_OF.keys())}"


@pytest.mark.parametrize("room", sorted(LINE_OF))
def test_a_room_imports_only_from_below(room: str) -> None:
    wrong = []
    for path in (SOURCE / room).rglob("*.py"):
        for line, name in imports(path):
            parts = name.split(".")
            if parts[0] != "qianheng" or len(parts) < 2 or parts[1] == room or parts[1] not in LINE_OF:
                continue
            if LINE_OF[parts[1]] >= LINE_OF[room] or (room, parts[1]) in NOT_EVEN_FROM_ABOVE:
                wrong.append(f"{path.relative_to(SOURCE)}:{line} imports {parts[1]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", sorted(LIBRARIES))
def test_a_room_knows_only_its_libraries(room: str) -> None:
    import sys

    wrong = [
        f"{path.relative_to(SOURCE)}:{line} imports {name}"
        for path in (SOURCE / room).rglob("*.py")
        for line, name in imports(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "qianheng", *LIBRARIES[room]}
    ]
    assert not wrong, "\n".join(wrong)
