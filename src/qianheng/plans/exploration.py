"""How much of what is bid and shown is left to chance, so that other ways can be judged by what was logged."""

from __future__ import annotations

from dataclasses import dataclass

from qianheng.core.errors import BadInput

MOST_SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much is left to chance.

    creatives: the share of wins that show any creative of their product, all alike; bids: the share of chances whose
    bid is multiplied by a random factor, log-normal around 1 with `spread` the deviation of its logarithm.
    Shares not between 0 and 1, a spread not above 0 or above 1: BadInput.
    """

    creatives: float = 0.0
    bids: float = 0.0
    spread: float = 0.2

    def __post_init__(self) -> None:
        for name in ("creatives", "bids"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput("evaluations.not_a_share", place=f"exploration, {name}", value=getattr(self, name))
        if not 0 < self.spread <= MOST_SPREAD:
            raise BadInput("evaluations.bad_spread", place="exploration, spread", value=self.spread, most=MOST_SPREAD)

    @property
    def any(self) -> bool:
        """Whether anything is left to chance."""
        return self.creatives > 0 or self.bids > 0
