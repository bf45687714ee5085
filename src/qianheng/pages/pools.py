"""What people saw, on the report page: looks at each pool, how much of it was promoted and how welcome it was."""

from __future__ import annotations

from qianheng.actions.pools import POOLS, Shown
from qianheng.core.money import ratio
from qianheng.core.words import say
from qianheng.pages.parts import Cell, Html, count, panel, percent, roi, section, table


def pools_section(shown: Shown | None) -> Html | None:
    """The section on pools; `None` where only ads were ranked."""
    if shown is None:
        return None
    title, looks = say("pages.pools.title"), sum(shown.looks.values())
    headings = [(say(f"pages.pools.{name}"), "number") for name in ("looks", "share", "relevance")]
    rows: list[list[Cell]] = [
        [
            say(f"pages.pools.pool.{pool}"),
            (count(shown.looks[pool]), "number"),
            (percent(ratio(shown.looks[pool], looks)), "number"),
            (percent(ratio(shown.clicks[pool], shown.looks[pool])), "number"),
        ]
        for pool in POOLS
    ]
    figures = {
        "ads_per_user": roi(shown.ads_per_user),
        "ad_share": percent(shown.ad_share),
        "relevance": percent(shown.relevance),
    }
    hint = say("pages.pools.hint", **figures)
    return section("pools", title, panel(title, hint, table([say("pages.pools.what"), *headings], rows, title)))
