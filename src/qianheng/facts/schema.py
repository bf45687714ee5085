"""The Arrow schema of each kind of fact. `at` is when it happened, `received_at` when we learnt it (UTC microseconds).

Ids are a function of their origin: the same fact told twice carries the same id and counts once (SPEC 2). Money is
int64 micro-yuan. What a later sum needs is stamped on the fact when it is recorded (`target_version` of the plan in
force, fees and commission of an order, the order's time on its refund), so that sums need no range join. A `plan_id`
of -1 means no plan.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """The kinds of bulk facts, each a table of its own."""

    IMPRESSION = "impression"
    CLICK = "click"
    CHARGE = "charge"
    ORDER = "order"
    REFUND = "refund"
    LIVE = "live"
    BOOST = "boost"
    DECISION = "decision"  # what a plan bid for an opportunity, and what became of it
    INVALID = "invalid"  # a charge that nobody should have paid, judged so later; its id is the charge's


class Channel(IntEnum):
    """What brought an order: organic traffic, a promoted impression or click, a creator's own traffic."""

    ORGANIC = 0
    PROMOTED = 1
    CREATOR = 2


class Fate(StrEnum):
    """What became of a plan's chance at an opportunity: won, or why not. The first that holds, in this order."""

    PAUSED = "paused"
    OFF_AIR = "off_air"
    OFF_SCHEDULE = "off_schedule"
    OUTSIDE_PLACEMENT = "outside_placement"
    OUTSIDE_USERS = "outside_users"  # the user is not of the plan's share, or held out by its shop
    OUT_OF_BUDGET = "out_of_budget"
    NO_OFFER = "no_offer"  # nothing to offer there is worth a bid
    SHADED_BELOW = "shaded_below"  # the full bid would have had a place, the shaded one has none
    BELOW_RESERVE = "below_reserve"
    RELEVANCE = "relevance"  # too unlikely to be clicked to be shown at all
    FREQUENCY = "frequency"  # the user has been shown enough of it, or of ads
    AD_SHARE = "ad_share"  # good enough for a place, but room for ads was short
    OUTRANKED_ORGANIC = "outranked_organic"  # something that nobody pays for stood higher
    OUTBID = "outbid"
    UNSEEN = "unseen"  # won a place, which nobody looked at: not charged
    WON = "won"


def _schema(*extra: tuple[str, pa.DataType]) -> pa.Schema:
    common = [("id", pa.int64()), ("at", pa.int64()), ("received_at", pa.int64()), ("plan_id", pa.int64())]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in [*common, *extra]])


_WHERE = (
    ("product_id", pa.int64()),
    ("user_id", pa.int64()),
    ("placement", pa.int8()),
    ("audience", pa.int16()),  # the user's audience cell as the platform knew it then
)
_SHOWN = (
    *_WHERE,
    ("room_id", pa.int64()),  # the live room it leads into, -1: a product page
    ("category", pa.int8()),  # what the page or query around it was about, -1: nothing in particular
    ("creative_id", pa.int64()),  # which of the product's creatives; a product's only one carries the product's id
    ("keyword", pa.int16()),  # what was searched, by its number in the site's list, -1: nothing of it
)

SCHEMAS: dict[Kind, pa.Schema] = {
    Kind.IMPRESSION: _schema(*_SHOWN, ("slot", pa.int8()), ("predicted_gmv", pa.int64())),
    Kind.CLICK: _schema(*_SHOWN, ("impression_id", pa.int64())),
    Kind.CHARGE: _schema(
        ("impression_id", pa.int64()),
        ("placement", pa.int8()),
        ("boost", pa.int8()),
        ("target_version", pa.int32()),
        ("amount", pa.int64()),
    ),
    Kind.ORDER: _schema(
        *_WHERE,
        ("room_id", pa.int64()),  # -1: bought outside live rooms
        ("click_id", pa.int64()),  # the touch it is attributed to; -1: no promoted click or view reached the buyer
        ("touched_at", pa.int64()),  # when that touch happened; -1: none
        ("creative_id", pa.int64()),  # the creative of that touch; -1: none
        ("channel", pa.int8()),
        ("boost", pa.int8()),
        ("flagged", pa.bool_()),  # judged abnormal (fraud)
        ("target_version", pa.int32()),  # -1: before the plan's first target
        ("amount", pa.int64()),  # GMV: paid, including coupon and subsidy
        ("coupon", pa.int64()),  # the shop's part of what a coupon took off
        ("subsidy", pa.int64()),  # the platform's part
        ("commission", pa.int64()),  # estimated: of all that was paid; what settles is `incentives.settling`'s
        ("service_fee", pa.int64()),  # likewise
        ("coupon_id", pa.int64()),  # -1: none
    ),
    Kind.INVALID: _schema(
        ("boost", pa.int8()),
        ("target_version", pa.int32()),
        ("amount", pa.int64()),
        ("reason", pa.int8()),  # its place in `facts.invalid.Invalidity`
    ),
    Kind.REFUND: _schema(("order_id", pa.int64()), ("order_at", pa.int64()), ("amount", pa.int64())),
    Kind.BOOST: _schema(
        ("boost_id", pa.int64()),
        ("boost", pa.int8()),
        ("ended", pa.bool_()),
        ("amount", pa.int64()),  # its budget when it starts, what it spent when it ends
    ),
    Kind.LIVE: _schema(("room_id", pa.int64()), ("on_air", pa.bool_())),
    Kind.DECISION: _schema(
        ("placement", pa.int8()),
        ("audience", pa.int16()),
        ("category", pa.int8()),
        ("product_id", pa.int64()),
        ("refit", pa.int64()),  # when the predictions were made: their version
        ("target_version", pa.int32()),
        ("predicted", pa.float64()),  # paid GMV of a seen impression, micro-yuan
        ("share", pa.float64()),  # what a unit of it is worth: share kept under the goal over the target, less extras
        ("factor", pa.float64()),  # calibration
        ("worth", pa.float64()),  # predicted · share · factor, micro-yuan; 0 where the plan may not bid
        ("multiplier", pa.float64()),
        ("shade", pa.float32()),  # what the bidder asked for, as a part of multiplier · worth
        ("left", pa.int64()),  # money the plan had when the step began, micro-yuan
        ("bid", pa.float32()),  # what entered the auction, micro-yuan; 0: nothing
        ("reserve", pa.float32()),
        ("prices", pa.list_(pa.float32())),  # what wins each place of the page, first place first
        ("pricing", pa.string()),  # the rule of what a place costs (`auction.pricing.Pricing`)
        ("costs", pa.list_(pa.float32())),  # what each place costs if not its price: under VCG
        ("slot", pa.int8()),  # 0: lost
        ("price", pa.int64()),  # due if seen
        ("fate", pa.string()),
        ("creative_id", pa.int64()),  # what a win showed; -1: lost
        ("creatives", pa.int16()),  # out of how many of the product's it was chosen
        ("creative_chance", pa.float32()),  # and with what chance, the rest of the choice given
        ("bid_factor", pa.float64()),  # what chance multiplied the bid by; 1: nothing
        ("bid_spread", pa.float32()),  # deviation of the logarithm of that factor; 0: none was drawn
    ),
}
