"""The placements of the marketplace: a word that plans and facts share."""

from __future__ import annotations

from enum import IntEnum


class Placement(IntEnum):
    """Where something is shown (场景)."""

    FEED = 0
    LIVE_SQUARE = 1
    MALL = 2
    SEARCH = 3
