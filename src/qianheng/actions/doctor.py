"""Look reports over before they are imported, and write repaired copies; nothing is stored (SPEC 13.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qianheng.actions.reports import content_of, expand
from qianheng.core.errors import BadInput
from qianheng.vendors.doctor import Examined, examine
from qianheng.vendors.exports import Reading


@dataclass(frozen=True, slots=True)
class Patient:
    """A file, what the doctor found, and where the repaired copy lies if one was asked for and could be made."""

    file: Path
    examined: Examined | None = None
    error: BadInput | None = None
    copy: Path | None = None

    @property
    def exit_code(self) -> int:
        """2 when it cannot be read as any report we know, 1 when an import would reject something, else 0."""
        if self.error or not self.examined or self.examined.export is None:
            return 2
        return int(not self.examined.healthy)


def examine_files(paths: Sequence[str], reading: Reading, fix: str = "") -> list[Patient]:
    """What is wrong with each file. With `fix` a repaired copy is written there (of several files: into that folder).

    Nothing to look at, or a copy in the place of its file: BadInput, and nothing is written.
    """
    files = expand(paths)
    copies = [_copy_of(file, fix, len(files)) for file in files]
    return [_examined(file, reading, copy) for file, copy in zip(files, copies, strict=True)]


def _copy_of(file: Path, fix: str, count: int) -> Path | None:
    if not fix:
        return None
    folder = Path(fix)
    if count > 1 and folder.suffix:
        raise BadInput("doctor.folder", place="--fix")
    copy = folder / f"{file.stem}.csv" if count > 1 or folder.is_dir() else folder
    if copy.resolve() == file.resolve():
        raise BadInput("doctor.same_file", place="--fix")
    return copy


def _examined(file: Path, reading: Reading, copy: Path | None) -> Patient:
    try:
        examined = examine(file.name, content_of(file), reading)
        if copy is None or examined.fixed is None:
            return Patient(file, examined)
        return Patient(file, examined, copy=_write(copy, examined.fixed))
    except BadInput as error:
        return Patient(file, error=error)


def _write(path: Path, content: bytes) -> Path:
    incoming = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        incoming.write_bytes(content)
        incoming.replace(path)
    except OSError as error:
        raise BadInput("reports.export_failed", place=str(path), why=error.strerror or error) from None
    finally:
        incoming.unlink(missing_ok=True)
    return path
