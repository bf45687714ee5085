"""Bidding: one multiplier per plan over all placements, within budget and target."""

from qianheng.bidding.bidder import Bidder, Binding, Market, Outcome, Reading, Settings

__all__ = ["Bidder", "Binding", "Market", "Outcome", "Reading", "Settings"]
