"""A question to the vendor's server about one account: its parameters read and checked as the vendor checks them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from qianheng.vendors.qianchuan.api import Api, Endpoint, Json
from qianheng.vendors.qianchuan.books import Books

OK, BAD_PARAMETER, NO_PERMISSION, RATE_LIMITED = 0, 40001, 40002, 40100
PAGE_SIZES = (10, 20, 50, 100, 200)
LOG_PAGE_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the method, the path behind the prefix, the parameters of a GET or the body of a POST, the token."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Json
    token: str = ""


class No(Exception):
    """The answer is an envelope with a code that is not 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an endpoint, and the books of the account that it is asked about."""

    api: Api
    endpoint: Endpoint
    params: Mapping[str, Any]
    books: Books

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        if self.params.get(name) in (None, ""):
            raise No(BAD_PARAMETER, f"{name}: Missing data for required field.")
        return str(self.params[name])

    def read(self, name: str) -> Any:
        """A parameter that is JSON and must be there."""
        try:
            return json.loads(self.text(name))
        except ValueError:
            raise No(BAD_PARAMETER, f"{name}: Not valid JSON.") from None

    def days(self, first: str, last: str) -> tuple[date, date]:
        """The days from one parameter to another, within the limits of the endpoint."""
        try:
            span = date.fromisoformat(self.text(first)[:10]), date.fromisoformat(self.text(last)[:10])
        except ValueError:
            raise No(BAD_PARAMETER, f"{first}: Not a valid datetime.") from None
        length, today = (span[1] - span[0]).days + 1, self.books.now().date()
        if not 1 <= length <= self.endpoint.span_days or (today - span[0]).days > self.endpoint.back_days:
            limits = f"{self.endpoint.span_days} days at once, {self.endpoint.back_days} days back"
            raise No(BAD_PARAMETER, f"{first}: {limits} at most.")
        return span

    def page(self, rows: list[Json], total_name: str) -> Json:
        """One page of rows, with what is told of all pages."""
        page, size = int(self.params.get("page", 1)), int(self.params.get("page_size", 10))
        most = LOG_PAGE_AT_MOST if self.endpoint.rows == "logs" else max(PAGE_SIZES)
        if page < 1 or (size not in PAGE_SIZES and self.endpoint.rows != "logs") or not 1 <= size <= most:
            raise No(BAD_PARAMETER, "page_size: Not a valid choice.")
        info = {"page": page, "page_size": size, total_name: len(rows), "total_page": -(-len(rows) // size)}
        return {self.endpoint.rows: rows[(page - 1) * size : page * size], "page_info": info}
