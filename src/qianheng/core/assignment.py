"""Who is in which arm: a fixed function of a salt and a user, so that nobody need remember it and nobody changes sides.

Every salt cuts all users into `SHARES` equal shares by 64 well mixed bits; arms are spans of shares. Shares under
different salts are independent, so that experiments and hold-outs may overlap. The function never changes: what was
assigned yesterday must be found again in ten years. `facts.assignment` is the same over arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from qianheng.core.errors import BadInput
from qianheng.core.ids import stable_id

SHARES = 10_000
STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # of SplitMix64
SHARE_BITS = 14  # so many leave room to multiply what remains of 64 bits by SHARES
_WORD = 2**64 - 1


def share_of(salt: str | int, user_id: int) -> int:
    """The share, 0 to 9,999, that a user falls into under a salt (1 and "1" are the same salt)."""
    return _share(salt_bits(salt), user_id)


def arm_of(salt: str | int, user_id: int, weights: Sequence[int]) -> int:
    """The arm a user is in, counted from 0: arms follow one another over the shares, by their weights."""
    share = share_of(salt, user_id)
    return next(arm for arm, (_, to) in enumerate(spans(weights)) if share < to)


def spans(weights: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The shares of each arm, as (first, one past the last): all 10,000, cut by weight.

    Weights are whole numbers, none below 0, not all 0: BadInput otherwise.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise BadInput("experiments.weights", value=list(weights))
    ends = [up_to * SHARES // total for up_to in accumulate(weights, initial=0)]
    return tuple(pairwise(ends))


def salt_bits(salt: str | int) -> int:
    """The 63 bits a salt stands for; they are mixed (xor) with the mixed bits of each user."""
    return stable_id("assignment", salt)


def _share(salted: int, user_id: int) -> int:
    return (_mixed(_mixed(user_id) ^ salted) >> SHARE_BITS) * SHARES >> 64 - SHARE_BITS


def _mixed(number: int) -> int:
    """64 well mixed bits of an integer (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    bits = number * STEP & _WORD
    bits = (bits ^ bits >> 30) * FIRST & _WORD
    bits = (bits ^ bits >> 27) * SECOND & _WORD
    return bits ^ bits >> 31
