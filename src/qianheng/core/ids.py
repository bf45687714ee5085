"""Ids are integers that are a function of their origin, so the same thing told twice carries the same id."""

from __future__ import annotations

import hashlib


def stable_id(*origin: object) -> int:
    """A positive 63-bit id that depends only on `origin`: the idempotency key of what it names."""
    return int.from_bytes(_digest(origin)[:8], "big") >> 1


def derive_seed(seed: int, *purpose: object) -> int:
    """A 128-bit seed of its own for each purpose, so that one draw more here never shifts the draws there."""
    return int.from_bytes(_digest((seed, *purpose))[:16], "big")


def _digest(parts: tuple[object, ...]) -> bytes:
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()
