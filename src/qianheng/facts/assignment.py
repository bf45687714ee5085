"""Who is in which arm, of many users at once: `core.assignment` over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from qianheng.core.assignment import FIRST, SECOND, SHARE_BITS, SHARES, STEP, salt_bits, spans

Int64: TypeAlias = npt.NDArray[np.int64]
UInt64: TypeAlias = npt.NDArray[np.uint64]


def scramble(origin: npt.NDArray[np.integer]) -> UInt64:
    """64 well mixed bits for each integer of an array (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    bits: UInt64 = origin.astype(np.uint64)
    bits *= np.uint64(STEP)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(FIRST)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(SECOND)
    bits ^= bits >> np.uint64(31)
    return bits


def shares_of(salt: str | int, user_id: npt.NDArray[np.integer]) -> Int64:
    """The share, 0 to 9,999, that each user falls into under a salt."""
    bits = scramble(scramble(user_id) ^ np.uint64(salt_bits(salt)))
    return ((bits >> np.uint64(SHARE_BITS)) * np.uint64(SHARES) >> np.uint64(64 - SHARE_BITS)).astype(np.int64)


def arms_of(salt: str | int, user_id: npt.NDArray[np.integer], weights: Sequence[int]) -> Int64:
    """The arm each user is in, counted from 0."""
    ends = np.array([to for _, to in spans(weights)])
    return np.searchsorted(ends, shares_of(salt, user_id), side="right").astype(np.int64)
