"""Bidding: one multiplier per plan over all placements, within budget and target."""

from qianheng.bidding.aims import Aim
from qianheng.bidding.bidder import Bidder, Settings
from qianheng.bidding.protocol import Binding, Market, Outcome, PlanBidder, Reading

__all__ = ["Aim", "Bidder", "Binding", "Market", "Outcome", "PlanBidder", "Reading", "Settings"]
