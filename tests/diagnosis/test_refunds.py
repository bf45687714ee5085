"""Which products come back, and what peers reach."""

from fractions import Fraction

import pytest

from qianheng.core.errors import BadInput
from qianheng.diagnosis.ground import Ground
from qianheng.diagnosis.peers import Peers, parse_peers
from qianheng.diagnosis.readings import read
from qianheng.diagnosis.refunds import Remedy, refunds
from qianheng.measures.history import About, Subject
from qianheng.measures.reports import Figures
from tests.diagnosis.shops_for_tests import YUAN, day, days, shop, with_parts


def product(id_: str, *told: Figures) -> dict[Subject, dict]:  # type: ignore[type-arg]
    return {Subject(About.PRODUCT, id_): days(*told)}


BASE = shop({"1": days(*[day(1000, 40, kept="0.9")] * 28)})


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (day(200, 10, kept="0.95"), Remedy.NOTHING),
        (day(200, 10, kept="0.5"), Remedy.TAKE_OUT),
        (day(200, 10, kept="0.70"), Remedy.TAKE_OUT),  # 30 % is high (SPEC 11)
        (day(200, 10, kept="0.71"), Remedy.PROMISE),
        (day(200, 10, kept="0.80"), Remedy.PROMISE),  # and 20 % not normal any more
        (day(200, 10, kept="0.81"), Remedy.NOTHING),
        (day(200, 10, kept="0.75"), Remedy.PROMISE),
        (day(200, 10, kept="0.75", refunded_7d=450 * YUAN), Remedy.QUALITY),
        (day(2, 1, kept="0.5"), Remedy.WATCH),
    ],
)
def test_a_product_is_advised_by_how_much_and_when_it_comes_back(told: Figures, remedy: Remedy) -> None:
    (found,) = refunds(Ground(with_parts(BASE, product("9", *[told] * 21)), BASE.whole_shop))
    assert found.remedy is remedy


def test_a_product_whose_refunds_just_began_is_watched() -> None:
    rising = product("9", *[day(500, 40, kept="0.95")] * 14, *[day(500, 40, kept="0.85")] * 7)
    (found,) = refunds(Ground(with_parts(BASE, rising), BASE.whole_shop))
    assert found.remedy is Remedy.WATCH


def test_those_that_make_most_of_the_refunds_come_first_and_shares_add_up() -> None:
    told = product("8", *[day(100, 10, kept="0.9")] * 7) | product("9", *[day(400, 20, kept="0.7")] * 7)
    found = refunds(Ground(with_parts(BASE, told), BASE.whole_shop))
    assert [one.subject.id for one in found] == ["9", "8"]
    assert sum(one.share or 0 for one in found) == 1
    assert found[0].rate == Fraction(3, 10)
    assert found[0].saved == 7 * 20 * 60 * YUAN * Fraction(2, 10)


def test_products_without_refunds_told_are_left_out() -> None:
    bare = product("9", *[day(400, 20, refunded_1h=None)] * 7)
    assert refunds(Ground(with_parts(BASE, bare), BASE.whole_shop)) == ()


PEERS = "measure,category,p25,p50,p75\nctr,,1.5%,2%,3%\nctr,womenswear,0.02,0.025,0.03\norder_value,,50,80,120\n"


def test_peers_stand_beside_the_shops_own_base() -> None:
    known = parse_peers(PEERS, "peers.csv")
    assert read(Ground(BASE, BASE.whole_shop, peers=known), "ctr_to_peers").value == 2
    assert read(Ground(BASE, BASE.whole_shop, peers=known), "order_value_to_peers").value == Fraction(60, 80)
    assert read(Ground(BASE, BASE.whole_shop), "ctr_to_peers").missing == "peers"


def test_a_category_has_its_own_benchmark_where_there_is_one() -> None:
    known = parse_peers(PEERS, "peers.csv")
    assert known.of("ctr", "womenswear") == known.entries[1]
    assert known.of("ctr", "food") == known.of("ctr", None) == known.entries[0]
    assert known.of("cvr", None) is None
    assert Peers().of("ctr", None) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("measure,category", "name,category", "p.csv: the first line is not"),
        ("ctr,,1.5%", "luck,,1.5%", "p.csv:2: luck is not known"),
        ("1.5%,2%", "1.5%,1%", "p.csv:2: 1.5%, 1%, 3% are no quarters"),
        ("50,80", "x,80", "p.csv:4: "),
        ("order_value,", "ctr,", "p.csv:4: ctr stands twice"),
        (PEERS[PEERS.index("\n") :], "\n", "no benchmarks"),
    ],
)
def test_a_faulty_line_is_told_with_its_number(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput) as told:
        parse_peers(PEERS.replace(old, new), "p.csv")
    assert said in str(told.value)
