"""Products and the rules of incentives in SQL: kept once, read back as they were, on both databases."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Engine

from qianheng.actions import subsidy
from qianheng.core.money import YUAN
from qianheng.incentives.coupons import Basket, Coupon, Wallet
from qianheng.incentives.services import Instalment, Insurance, Services
from qianheng.incentives.terms import Commission, ServiceFee, Terms
from qianheng.ledger.transfers import AccountKind, account, platform_accounts
from qianheng.simulator.incentives import Programme
from qianheng.store import incentives, ledger
from qianheng.store.incentives import Product, Rules

COUPON = Coupon(501, "满100减10", 10 * YUAN, 100 * YUAN, Decimal("0.4"), 95 * YUAN, frozenset({12, 11}), 5, 9, 2)
RULES = Rules(
    terms=Terms(
        {11: [ServiceFee(Decimal("0.05"), Decimal("0.006")), ServiceFee(Decimal("0.04"), None, True, 1000)]},
        [Commission(8, Decimal("0.2"), Decimal("0.1")), Commission(8, Decimal("0.3"), Decimal("0.1"), 11, 7)],
    ),
    coupons=(COUPON,),
    services={
        11: Services(
            Insurance(Decimal("0.8"), Decimal(5), Decimal("1.04"), Decimal("1.1")),
            (Instalment(3, Decimal("0.018"), Decimal("0.2")),),
            Decimal("1.05"),
        )
    },
    creators={8: "阿宁"},
    programme="百亿补贴",
)
GOODS = [Product(11, 1, "针织开衫"), Product(12, 2, "面霜")]
START, LATER = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 10, 2, tzinfo=UTC)


def test_rules_are_kept_once_and_read_back_as_they_were(engine: Engine) -> None:
    with engine.begin() as connection:
        for _ in range(2):
            incentives.enter(connection, GOODS, RULES)
        kept = incentives.rules(connection)
        assert list(incentives.products(connection).values()) == GOODS
    assert (kept.terms.fees, kept.terms.commissions) == (RULES.terms.fees, RULES.terms.commissions)
    assert (kept.coupons, kept.services) == (RULES.coupons, RULES.services)
    assert (kept.creators, kept.programme) == (RULES.creators, RULES.programme)


def test_where_nothing_is_kept_there_are_no_rules(engine: Engine) -> None:
    with engine.begin() as connection:
        kept = incentives.rules(connection)
    assert (kept.terms.fees, kept.coupons, kept.programme) == ({}, (), None)


def test_a_programme_is_funded_once_and_holds_a_days_part_which_is_let_go(engine: Engine) -> None:
    coupons = account(AccountKind.COUPONS).id
    with engine.begin() as connection:
        ledger.open_accounts(connection, platform_accounts())
        for _ in range(2):
            subsidy.fund(connection, Programme("百亿补贴", Decimal(50)), START)
        wallet = Wallet([COUPON])  # nine times six yuan could be asked of the platform
        for _ in range(2):
            subsidy.lease(connection, wallet, START)
            assert wallet.leased == 50 * YUAN
        assert ledger.balance(connection, coupons).available == 0
        for number in range(9):
            wallet.give(Basket(number, number, 11, 100 * YUAN, 5))
        assert wallet.given[501] == 80 * YUAN
        subsidy.release(connection, START)
        assert ledger.balance(connection, coupons).available == 0
        subsidy.release(connection, LATER)
        assert ledger.balance(connection, coupons).available == 50 * YUAN
