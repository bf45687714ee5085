"""An ad account as the vendor keeps it, its server without a network, and a client to ask it with."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from qianheng.core.days import SHANGHAI, zone
from qianheng.core.money import micros
from qianheng.measures.history import About, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus
from qianheng.vendors.qianchuan.api import Api, api
from qianheng.vendors.qianchuan.books import Books, Change, Money
from qianheng.vendors.qianchuan.client import Client, Pace
from qianheng.vendors.qianchuan.question import Request
from qianheng.vendors.qianchuan.reading import AdPlan
from qianheng.vendors.qianchuan.server import Server
from qianheng.vendors.qianchuan.tokens import App, sign_in
from qianheng.vendors.qianchuan.trouble import Trouble

NOW = datetime(2026, 6, 20, 9, 30, tzinfo=zone(SHANGHAI))
FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=i) for i in range(19)]
ACCOUNT, APP, CODE = "1700000000000001", App("42", "the-secret"), "the-code"
PRODUCT, SPENDING, LIVE, OVERALL = "1800000000000011", "1800000000000012", "1800000000000013", "1800000000000014"


class Time:
    """A clock that stands still but for those who wait."""

    def __init__(self) -> None:
        self.now = NOW.astimezone(UTC)
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        return self.now


def figures(day: int, plan: int) -> Figures:
    """A day of a plan: money to the fen, no two days alike."""
    spend, gmv = micros(f"{100 + day + plan * 7}.{day:02d}"), micros(f"{400 + day * 3 + plan * 11}.5{day % 10}")
    refunded = micros(f"{10 + day}.10")
    return Figures(
        spend=spend, gmv=gmv, orders=20 + day, net_gmv=gmv - refunded, net_orders=18 + day, refunded_1h=refunded,
        buyer_paid=gmv - micros("3"), coupon=micros("2"), subsidy=micros("1"), impressions=1000 + day, clicks=50 + day,
    )  # fmt: skip


def plan(id_: str, name: str, **settings: Any) -> AdPlan:
    told: dict[str, Any] = {
        "kind": PlanKind.PRODUCT,
        "goal": Goal.NET,
        "bid_mode": BidMode.TARGET_ROI,
        "target": Decimal("2.50"),
        "budget_daily": micros("300.00"),
        "status": PlanStatus.ACTIVE,
        "created": datetime(2026, 5, 20, 10, tzinfo=zone(SHANGHAI)),
        "modified": datetime(2026, 6, 3, 15, 20, 7, tzinfo=zone(SHANGHAI)),
        "scene": "UNI_PROJECT",
        "status_there": "DELIVERY_OK",
        "guarantee": "in_effect",
    }
    return AdPlan(id_, name, **{**told, **settings})


PLANS = (
    plan(PRODUCT, "商品全域"),
    plan(SPENDING, "放量", bid_mode=BidMode.MAX_DELIVERY, target=None, guarantee="none"),
    plan(LIVE, "直播间", kind=PlanKind.LIVE, goal=Goal.PAYMENT, target=Decimal(3), guarantee="compensated"),
    plan(OVERALL, "乘方", scene="OVERALL_PROJECT", guarantee="void"),
)


def books(time: Callable[[], datetime], account: str = ACCOUNT) -> Books:
    days = {
        Subject(About.PLAN, one.id, one.name): {day: figures(i, number) for i, day in enumerate(DAYS)}
        for number, one in enumerate(PLANS)
    }
    spend = {day: sum(told[day].spend or 0 for told in days.values()) for day in DAYS}
    parts = {Subject(About.PRODUCT, "1900000000000021", "茶"): {day: figures(i, 0) for i, day in enumerate(DAYS)}}
    hour = datetime(2026, 6, 19, 10, tzinfo=zone(SHANGHAI))
    return Books(
        advertiser_id=account,
        now=time,
        plans={one.id: one for one in PLANS},
        days=days | parts,
        hours={Subject(About.PLAN, PRODUCT): {hour: figures(1, 0)}},
        changes=[
            Change(
                str(i), NOW - timedelta(days=i), PRODUCT, "商品全域", "修改预算", (f"预算: {i}.0 -> {i + 1}",), "店长"
            )
            for i in range(1, 8)
        ],
        money={day: Money(spend[day], micros("5"), micros("1000"), micros("2000"), micros("30")) for day in DAYS},
    )


def server(time: Time, **of: Any) -> Server:
    return Server(of.pop("api", api()), {ACCOUNT: books(time)}, APP, CODE, time, **of)


def asking(answer: Callable[[Request], tuple[int, bytes]]) -> httpx.Client:
    """An HTTP client whose network is a function."""

    def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        path = request.url.path.removeprefix("/open_api")
        token = request.headers.get("access-token", "")
        status, content = answer(Request(request.method, path, dict(request.url.params), body, token))
        return httpx.Response(status, content=content)

    return httpx.Client(transport=httpx.MockTransport(handle))


class Held:
    """Tokens in memory, renewed by asking for a pair anew."""

    def __init__(self, client: Client, time: Time) -> None:
        self.renewals, self._client, self._time = -1, client, time
        self._token = self.renewed("")

    def token(self) -> str:
        return self._token

    def renewed(self, refused: str) -> str:
        self.renewals += 1
        self._token = sign_in(self._client, APP, CODE, self._time()).access
        return self._token


def client_of(
    market: Server, time: Time, shares: Mapping[str, float] | None = None, known: Api | None = None
) -> Client:
    """A client signed in at a server, part of whose answers go wrong."""
    chance = Random(7).random
    pace = Pace(lambda: time().timestamp(), time.wait, chance)
    calm = Client(asking(Trouble(market, {}, chance).answer), known or api(), None, pace, "http://vendor")
    troubled = asking(Trouble(market, shares or {}, chance).answer)
    return Client(troubled, known or api(), Held(calm, time), pace, "http://vendor")
