"""Draws that need no memory: the same origin gives the same number, whatever was drawn before or beside it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from qianheng.core.ids import derive_seed
from qianheng.facts.assignment import scramble as scramble  # draws and arms are mixed alike

Int64: TypeAlias = npt.NDArray[np.int64]
UInt64: TypeAlias = npt.NDArray[np.uint64]
Float32: TypeAlias = npt.NDArray[np.float32]
Float64: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.integer]  # integers of any width
Real: TypeAlias = npt.NDArray[np.floating]  # of any precision
Bool: TypeAlias = npt.NDArray[np.bool_]


def uniform(bits: UInt64) -> Float64:
    """Numbers in [0, 1) from mixed bits."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def another(bits: UInt64, index: int) -> Float64:
    """The `index`-th further uniform number that belongs to these mixed bits."""
    return uniform(scramble(bits ^ np.uint64(index + 1)))


def positive_ids(bits: UInt64) -> Int64:
    """Ids (63 bits, never negative) from mixed bits."""
    return (bits >> np.uint64(1)).astype(np.int64)


def key(seed: int, *purpose: object) -> np.int64:
    """A key of its own for each purpose, to be mixed (xor) with the numbers of rows."""
    return np.int64(derive_seed(seed, *purpose) >> 65)


def generator(seed: int, *purpose: object) -> np.random.Generator:
    """A generator of its own for each purpose, so that one draw more here never shifts the draws there."""
    return np.random.default_rng(derive_seed(seed, *purpose))
