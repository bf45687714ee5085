"""What an arm of an experiment amounts to: sums over its users that add and subtract, nothing about any one user."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

VARIABLES = "yxc"  # above, below, covariate
MONOMIALS = tuple("".join(part) for degree in range(4) for part in combinations_with_replacement(VARIABLES, degree))
_AT = {monomial: number for number, monomial in enumerate(MONOMIALS)}

Whole = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Measure:
    """A ratio of two sums over users, each sum named as in `measures`: payment ROI is gmv over spend.

    denominator: `None` means per user.
    rising: whether more of it is better (a refund rate: no).
    signed: whether it may be below 0, so that one arm's value is no measure for the other's: profit.
    """

    name: str
    numerator: str
    denominator: str | None = None
    rising: bool = True
    signed: bool = False


@dataclass(frozen=True, slots=True)
class ArmSums:
    """Sums over the users of an arm of all products, up to the third, of what a user has above (y) and below (x) the
    line of a measure and as covariate (c): those of `MONOMIALS`, in that order; the first is the number of users.

    Exact integers, in the units of what was summed: money in micro-yuan, its square in square micro-yuan. The third
    products say how skew the users are, and with it from how many users on an interval can be believed.
    """

    values: tuple[int, ...]

    @classmethod
    def of(cls, above: Whole, below: Whole | None = None, covariate: Whole | None = None) -> ArmSums:
        """The sums of users, one entry a user. below: `None` is 1 for each; covariate: `None` is 0 (nothing known)."""
        below = np.ones_like(above) if below is None else below
        covariate = np.zeros_like(above) if covariate is None else covariate
        user = {"y": above.astype(object), "x": below.astype(object), "c": covariate.astype(object)}
        return cls(tuple(int(_product(user, monomial).sum()) if monomial else len(above) for monomial in MONOMIALS))

    @property
    def users(self) -> int:
        """How many users are in it."""
        return self.values[0]

    def __getitem__(self, monomial: str) -> int:
        """A sum by its name: `""` the users, `"y"`, `"x"`, `"c"`, `"yy"`, `"yx"` … `"ccc"`."""
        return self.values[_AT[monomial]]

    def __add__(self, other: ArmSums) -> ArmSums:
        return ArmSums(tuple(one + more for one, more in zip(self.values, other.values, strict=True)))

    def __sub__(self, other: ArmSums) -> ArmSums:
        return ArmSums(tuple(one - less for one, less in zip(self.values, other.values, strict=True)))


def _product(user: dict[str, npt.NDArray[Any]], monomial: str) -> npt.NDArray[Any]:
    product = user[monomial[0]]
    for variable in monomial[1:]:
        product = product * user[variable]
    return product
