"""Secrets stand in the environment or in a file that only its owner may read; what is kept says where, never what."""

from __future__ import annotations

import os
from pathlib import Path

from qianheng.core.errors import BadInput, Refused


def revealed(text: str) -> str:
    """What stands where a text points: the environment, a file that only its owner may read, or the text itself.

    Not there, or open to others: BadInput or Refused, which names the place and never what stands in it.
    """
    kind, _, name = text.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise BadInput("alerts.channel.no_variable", place=name)
        return os.environ[name]
    if kind == "file":
        path = Path(name)
        try:
            if path.stat().st_mode & 0o077:
                raise Refused("alerts.channel.open_file", place=name)
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadInput("core.unreadable_file", place=name, why=error.strerror or error) from None
    return text
