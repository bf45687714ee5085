"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: Any, mode: int = 0o666) -> None:
    """Write a file (bytes, or a buffer of them) that is there whole or not at all, also after a loss of power; with
    these rights, less those that the system takes off, from its first byte on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = path.with_name(f"{path.name}.{os.getpid()}")
    incoming.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        incoming.replace(path)
    except OSError:
        incoming.unlink(missing_ok=True)  # a full disk is not to be filled with halves
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
