"""Plain values: what answers are made of before somebody prints them as JSON."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
