"""The marketplace that plans live in: whose rules hold, when it promotes, and which products each shop has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from qianheng.core.errors import BadInput, QianhengError, Refused
from qianheng.core.tables import build
from qianheng.plans.plan import Plan
from qianheng.plans.rules import Rules, faults, load_rules


@dataclass(frozen=True, slots=True)
class Promotion:
    """The days of a promotion (大促), both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Marketplace:
    """Which rules hold (a shipped name or a file), its promotions, the products by shop id, as text, and the creatives
    of products that have others than one of the product's id, by product id, as text.
    """

    rules: str = "standard"
    promotions: tuple[Promotion, ...] = ()
    products: dict[str, tuple[int, ...]] = field(default_factory=dict)
    creatives: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def allowed(self) -> Rules:
        """The rules themselves. Unknown: BadInput."""
        return load_rules(self.rules)

    def promotes(self, day: date) -> bool:
        """Whether a day lies in a promotion."""
        return any(promotion.first <= day <= promotion.last for promotion in self.promotions)

    def faults(self, plan: Plan, names: Collection[str]) -> list[QianhengError]:
        """What speaks against these fields of a plan; empty when nothing does."""
        return faults(plan, self.allowed, names) + self._foreign(plan, names) + self._not_shown(plan, names)

    def _not_shown(self, plan: Plan, names: Collection[str]) -> list[QianhengError]:
        """Creatives that none of the plan's products has."""
        if not {"creative_ids", "product_ids"} & {*names}:
            return []
        known = [one for product in plan.product_ids for one in self.creatives.get(str(product), (product,))]
        told = ", ".join(map(str, known))
        foreign = [one for one in plan.creative_ids if one not in known]
        return [BadInput("plans.no_creative", place="creative_ids", value=one, known=told) for one in foreign]

    def _foreign(self, plan: Plan, names: Collection[str]) -> list[QianhengError]:
        known = self.products.get(str(plan.shop_id), ())
        if "product_ids" not in names or not known:
            return []
        listed = ", ".join(map(str, known))
        return [
            BadInput("plans.no_product", place="product_ids", value=one, known=listed)
            for one in plan.product_ids
            if one not in known
        ]

    def check_surface(self, surface: str) -> None:
        """Refuse a surface that may not edit plans, and tell which may (SPEC 4.4). Unknown: BadInput."""
        surfaces = self.allowed.surfaces
        if surface not in surfaces:
            raise BadInput("plans.unknown_surface", place="--surface", value=surface, known=", ".join(surfaces))
        if not surfaces[surface]:
            able = ", ".join(name for name, may in surfaces.items() if may)
            raise Refused("plans.surface_may_not", value=surface, able=able)

    def kept(self) -> dict[str, Any]:
        """The marketplace as JSON; `read` gives it again."""
        promotions = [{"first": one.first.isoformat(), "last": one.last.isoformat()} for one in self.promotions]
        products = {shop_id: list(ids) for shop_id, ids in self.products.items()}
        creatives = {product: list(ids) for product, ids in self.creatives.items()}
        told = {"rules": self.rules, "promotions": promotions, "products": products}
        return told | ({"creatives": creatives} if creatives else {})


def read(table: Mapping[str, Any]) -> Marketplace:
    """A marketplace from what `kept` wrote."""
    return build(Marketplace, table, "marketplace")
