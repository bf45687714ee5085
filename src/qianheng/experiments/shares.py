"""Whether users are divided as they were drawn. If not, something loses users of one arm, and no figure is to be
believed (sample-ratio mismatch).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import chi2

from qianheng.experiments.estimates import Float64

ALPHA = 0.001  # the chance that a faultless division is ever called broken, however often one looks
PRIOR = 200.0  # users that the shares drawn are worth, before any is seen


@dataclass(frozen=True, slots=True)
class Shares:
    """The users of each arm and the weights they were drawn by.

    p_once: chi-square's, for one look; against: how many times as well other shares explain the users (a Bayes factor,
    which exceeds 1 / alpha at any look with a chance of at most alpha); believed: whether it stays below.
    """

    users: tuple[int, ...]
    weights: tuple[int, ...]
    p_once: float
    against: float
    believed: bool


def shares(users: Sequence[int], weights: Sequence[int], alpha: float = ALPHA) -> Shares:
    """Test the division of users over arms by their weights (each above 0).

    Dirichlet mixture of multinomial odds (Lindon and Malek 2022): holds however often one looks.
    """
    expected = np.array(weights, float) / sum(weights)
    seen = np.array(users, float)
    total = seen.sum()
    odds = log_odds(seen, expected)
    chi_square = float(((seen - total * expected) ** 2 / (total * expected)).sum()) if total else 0.0
    p_once = float(chi2.sf(chi_square, len(users) - 1))
    believed = bool(odds < -np.log(alpha))
    return Shares(tuple(users), tuple(weights), p_once, float(np.exp(min(float(odds), 700.0))), believed)


def log_odds(seen: Float64, expected: Float64) -> Float64:
    """The logarithm of the Bayes factor against the shares `expected` [arms] of users `seen` [..., arms]."""
    prior = PRIOR * expected
    mixed = gammaln(PRIOR) - gammaln(PRIOR + seen.sum(-1)) + (gammaln(prior + seen) - gammaln(prior)).sum(-1)
    return np.asarray(mixed - (seen * np.log(expected)).sum(-1))
