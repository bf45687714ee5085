"""Insurance and instalments in the market: stated effects on orders and returns, none unless stated."""

import numpy as np

from qianheng.simulator.buyers import Catalogue
from qianheng.simulator.loading import load

SERVICES = {
    "shops.0.products.0.services": """{ insurance = { premium = 0.8, covers = 5, conversion = 1.1, returns = 1.2 },
        instalments = [{ number = 3, cost = 0.018, uptake = 0.2 }], instalments_conversion = 1.5 }""".replace("\n", "")
}


def test_services_change_orders_and_returns_of_their_product_alone() -> None:
    plain, served = Catalogue(load("tiny")), Catalogue(load("tiny", SERVICES))
    assert np.allclose(served.conversion / plain.conversion, [1.1 * 1.5, 1])
    assert np.allclose(served.refund_7d / plain.refund_7d, [1.2, 1])
    assert np.allclose(served.refund_later / plain.refund_later, [1.2, 1])
    assert (served.refund_1h == plain.refund_1h).all()
