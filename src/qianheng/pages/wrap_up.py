"""The wrap-up of a live session as a document: one function makes one section."""

from __future__ import annotations

from collections.abc import Iterator

from qianheng.actions.wrap_ups import FEWEST_ORDERS, WrapUp
from qianheng.core.days import MINUTE, microseconds
from qianheng.core.money import ratio
from qianheng.core.words import say
from qianheng.measures.sessions import AGES, Sold, closed
from qianheng.pages.document import (
    Badge,
    Block,
    Cell,
    Chart,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    Unit,
    amount,
    columns,
    number,
    number_text,
    ratio_cell,
    share,
)
from qianheng.pages.review_blocks import label, look_of, named_days

BEST = 5


def wrap_up_document(told: WrapUp) -> Document:
    """The document of a session."""
    session = told.session
    began, ended = told.time(0), told.time((session.ended - session.began) // MINUTE)
    title = say("reviews.live.title", room=session.room_id, day=f"{began:%Y-%m-%d}")
    facts = (
        Figure("on_air", say("reviews.live.on_air"), f"{began:%H:%M} – {ended:%H:%M}"),
        Figure("hours", say("reviews.live.hours"), f"{float(session.hours):.1f}"),
        Figure("plans", say("reviews.live.plans"), say("pages.list").join(plan.name for plan in told.plans)),
    )
    parts = (_sums(told), _next(told), _minutes(told), _products(told), _channels(told), _refunds(told))
    return Document("live", say("reviews.live.kind"), title, told.now, parts, facts)


def _sums(told: WrapUp) -> Section:
    """What the session came to, against the usual session of as many hours."""
    sold = told.sold
    sums = {"spend": amount(sold.spend), "gmv": amount(sold.gmv), "orders": number(sold.orders)}
    figures = [Figure(name, label(name), value, _against(told, name)) for name, value in sums.items()]
    figures += [
        Figure("payment_roi", label("payment_roi"), ratio_cell(sold.payment_roi)),
        Figure("net_roi", label("net_roi"), ratio_cell(sold.net_roi)),
        Figure("refund_rate_1h", label("refund_rate_1h"), share(sold.refund_rate_1h)),
    ]
    hint = say("reviews.live.against", sessions=told.earlier) if told.earlier else say("reviews.live.first")
    return Section(
        "sums", say("reviews.live.sums"), (KeyFigures("session", tuple(figures)), Paragraph(hint, hint=True))
    )


def _against(told: WrapUp, name: str) -> str:
    if told.usual_hour is None:
        return ""
    usual = told.usual_hour[name] * told.session.hours
    change = ratio(getattr(told.sold, name) - usual, usual)
    return (
        "" if change is None else say("reviews.live.against_share", share=number_text(change, Unit.SHARE, signed=True))
    )


def _next(told: WrapUp) -> Section:
    """What to change before the next session."""
    blocks = tuple(_advice(told)) or (Decision(say("reviews.live.keep"), say("reviews.live.keep_why"), "normal"),)
    return Section("next", say("reviews.live.next"), blocks)


def _advice(told: WrapUp) -> Iterator[Block]:
    if told.sold.orders < FEWEST_ORDERS:
        why = say("reviews.live.few_why", orders=told.sold.orders, least=FEWEST_ORDERS)
        yield Decision(say("reviews.live.few"), why, "watch")
    for verdict in told.verdicts:
        if verdict.severity != "normal":
            measure, value = say(f"diagnosis.measure.{verdict.measure}"), number_text(verdict.value, Unit.SHARE)
            yield Decision(f"{measure} {value}", say(f"diagnosis.verdict.{verdict.verdict}"), look_of(verdict))
    for product, verdict in told.faulty.items():
        sold = told.by_product[product]
        values = {"rate": number_text(verdict.value, Unit.SHARE), "orders": sold.orders}
        yield Decision(_product(told, product), say("reviews.live.faulty", **values), look_of(verdict))
    if told.session.drops:
        minutes = sum(back - lost for lost, back in told.session.drops) / MINUTE
        values = {"drops": len(told.session.drops), "minutes": f"{minutes:.0f}"}
        yield Decision(say("reviews.live.drops", **values), say("reviews.live.drops_why"), "watch")


def _minutes(told: WrapUp) -> Section:
    """When it sold: all stretches as a picture, the best as a table."""
    last = (told.session.stopped - told.session.began) // MINUTE
    starts = range(0, last, told.length)
    drawn = (
        Series("spend", label("spend"), tuple(told.by_stretch.get(at, Sold()).spend for at in starts), Unit.MONEY),
        Series(
            "gmv", label("gmv"), tuple(told.by_stretch.get(at, Sold()).gmv for at in starts), Unit.MONEY, True, True
        ),
    )
    labels = tuple(f"{told.time(at):%H:%M}" for at in starts)
    hint = say("reviews.live.minutes_hint", minutes=told.length)
    chart = Chart("stretches", say("reviews.live.minutes"), labels, drawn, hint, say("reviews.live.nothing_sold"))
    return Section("minutes", say("reviews.live.minutes"), (chart, _best(told)))


def _best(told: WrapUp) -> Table:
    """The stretches with the most GMV left after refunds within an hour."""
    ordered = sorted(told.by_stretch.items(), key=lambda pair: pair[1].refunded_1h - pair[1].gmv)
    rows = tuple(
        (f"{told.time(at):%H:%M}–{told.time(at + told.length):%H:%M}", *_row(sold))
        for at, sold in ordered[:BEST]
        if sold.orders
    )
    heads = columns("reviews", "at", *_ROW, text=("at",))
    hint = say("reviews.live.best_hint", least=FEWEST_ORDERS)
    return Table("best", say("reviews.live.best"), heads, rows, hint, say("reviews.live.nothing_sold"))


_ROW = ("spend", "gmv", "orders", "net_roi", "refund_rate_1h")


def _row(sold: Sold) -> tuple[Cell, ...]:
    return (
        amount(sold.spend),
        amount(sold.gmv),
        number(sold.orders),
        ratio_cell(sold.net_roi),
        share(sold.refund_rate_1h),
    )


def _products(told: WrapUp) -> Section:
    """What sold, the most GMV first."""
    rows = tuple(
        (
            _product(told, product),
            amount(sold.gmv),
            number(sold.orders),
            share(sold.refund_rate_1h),
            share(ratio(sold.gmv, told.sold.gmv)),
            _judged(told, product),
        )
        for product, sold in told.by_product.items()
        if product >= 0
    )
    heads = columns("reviews", "name", "gmv", "orders", "refund_rate_1h", "share", "verdict", text=("name", "verdict"))
    hint = say("reviews.live.products_hint", least=FEWEST_ORDERS)
    table = Table("products", say("reviews.live.products"), heads, rows, hint, say("reviews.live.nothing_sold"))
    return Section("products", say("reviews.live.products"), (table,))


def _judged(told: WrapUp, product: int) -> Cell:
    if told.by_product[product].orders < FEWEST_ORDERS:
        return None
    verdict = told.faulty.get(product)
    severity = verdict.severity if verdict else "normal"
    return Badge(say(f"diagnosis.severity.{severity}"), look_of(verdict) if verdict else "normal")


def _channels(told: WrapUp) -> Section:
    """What was promoted and what came by itself."""
    rows = tuple(
        (
            say(f"figures.name.{channel.name.lower()}"),
            amount(sold.gmv),
            number(sold.orders),
            share(ratio(sold.gmv, told.sold.gmv)),
            share(sold.refund_rate_1h),
        )
        for channel, sold in told.by_channel.items()
    )
    heads = columns("reviews", "channel", "gmv", "orders", "share", "refund_rate_1h", text=("channel",))
    table = Table(
        "channels",
        say("reviews.live.channels"),
        heads,
        rows,
        say("reviews.live.channels_hint"),
        say("reviews.live.nothing_sold"),
    )
    return Section("channels", say("reviews.live.channels"), (table,))


def _refunds(told: WrapUp) -> Section:
    """How the session's refunds have ripened since; an age that not all orders have reached is left open."""
    reached = closed(told.session, microseconds(told.now))
    rows: list[tuple[Cell, ...]] = []
    for age in AGES:
        refunded = getattr(told.sold, f"refunded_{age}") if age in reached else None
        kept = None if refunded is None else told.sold.gmv - refunded
        roi = None if kept is None else ratio(kept, told.sold.spend)
        rate = None if refunded is None else ratio(refunded, told.sold.gmv)
        rows.append((say(f"figures.age.{age}"), amount(refunded), share(rate), amount(kept), ratio_cell(roi)))
    heads = columns("reviews", "age", "refunded", "refund_rate", "kept_gmv", "kept_roi", text=("age",))
    table = Table("refunds", say("reviews.live.refunds"), heads, tuple(rows), say("reviews.live.refunds_hint"))
    began = told.time(0)
    days = named_days(began.date(), told.time((told.session.stopped - told.session.began) // MINUTE).date())
    when = f"--now {told.now:%Y-%m-%dT%H:%M}"
    sources = tuple(f"qianheng figures --plan {plan.id} --by hour {days} {when}" for plan in told.plans)
    return Section("refunds", say("reviews.live.refunds"), (table, Sources(sources)))


def _product(told: WrapUp, product: int) -> str:
    return told.products.get(product) or say("reviews.about.product", id=product)
