"""The value of a measure in each arm with its variance and skewness, from the sums of the arm's users alone.

A ratio of sums is linearised (delta method; Deng, Knoblich and Lu 2018): its error is that of the mean over users of
z = (y − R x) / mean x. A covariate from before the test takes out what was different beforehand (CUPED; Deng, Xu,
Kohavi and Walker 2013), of ratios too: z loses θ (c − mean c of all arms), with one θ for all arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from qianheng.experiments.sums import VARIABLES, ArmSums

Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure in one arm, or in many arms at once: arrays of one shape.

    variance, third: second and third cumulant of the value's own error, so that those of independent values add.
    """

    users: Float64
    value: Float64
    variance: Float64
    third: Float64


@dataclass(frozen=True, slots=True)
class _Centred:
    """Users of an arm around their means: mean [3], covariance [3, 3], third central products [3, 3, 3] (y, x, c)."""

    users: int
    mean: Float64
    covariance: Float64
    third: Float64

    @property
    def score(self) -> Float64:
        """What z takes of each variable [3], before any covariate."""
        y, x = self.mean[:2]
        return np.array([1 / x, -y / x**2, 0.0])

    def estimate(self, theta: float, everyone: float) -> Estimate:
        score = self.score - [0.0, 0.0, theta]
        variance = score @ self.covariance @ score / self.users
        third = np.einsum("i,j,k,ijk", score, score, score, self.third) / self.users**2
        value = self.mean[0] / self.mean[1] - theta * (self.mean[2] - everyone)
        return Estimate(*(np.asarray(number, np.float64) for number in (self.users, value, variance, third)))


def estimates(arms: Sequence[ArmSums]) -> tuple[Estimate | None, ...]:
    """The estimate of each arm; `None` of an arm with fewer than two users or nothing below the line.

    Where the sums hold a covariate it is used, over all arms together.
    """
    centred = [_centred(arm) if arm.users > 1 and arm["x"] else None for arm in arms]
    known = [arm for arm in centred if arm]
    spread = sum(arm.users * arm.covariance[2, 2] for arm in known)
    shared = sum(arm.users * (arm.score @ arm.covariance[2]) for arm in known)
    theta = float(shared / spread) if spread > 0 else 0.0
    everyone = float(sum(arm.users * arm.mean[2] for arm in known) / sum(arm.users for arm in known)) if known else 0.0
    return tuple(arm.estimate(theta, everyone) if arm else None for arm in centred)


def of_users(above: Float64) -> Estimate:
    """The mean over users [..., users] and its cumulants, of many samples at once."""
    users = above.shape[-1]
    mean = above.mean(-1)
    around = above - mean[..., None]
    squares = np.einsum("...i,...i", around, around)
    third = np.einsum("...i,...i,...i", around, around, around) / users**3
    return Estimate(np.full(mean.shape, float(users)), mean, squares / ((users - 1) * users), third)


def _centred(arm: ArmSums) -> _Centred:
    """Centred while still whole numbers: nothing is lost by taking large squares from one another."""
    n = arm.users
    mean = np.array([arm[one] / n for one in VARIABLES])
    second = [[_second(arm, one + two) / (n * (n - 1)) for two in VARIABLES] for one in VARIABLES]
    third = [[[_third(arm, i + j + k) / n**3 for k in VARIABLES] for j in VARIABLES] for i in VARIABLES]
    return _Centred(n, mean, np.array(second), np.array(third))


def _sum(arm: ArmSums, product: str) -> int:
    return arm["".join(sorted(product, key=VARIABLES.index))]


def _second(arm: ArmSums, pair: str) -> int:
    return arm.users * _sum(arm, pair) - arm[pair[0]] * arm[pair[1]]


def _third(arm: ArmSums, triple: str) -> int:
    i, j, k = triple[0], triple[1], triple[2]
    n, singles = arm.users, arm[i] * arm[j] * arm[k]
    pairs = arm[i] * _sum(arm, j + k) + arm[j] * _sum(arm, i + k) + arm[k] * _sum(arm, i + j)
    return n * n * _sum(arm, triple) - n * pairs + 2 * singles
