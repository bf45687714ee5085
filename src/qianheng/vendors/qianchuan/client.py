"""Asking the vendor: one question, all pages of a list, a write; what it refuses becomes an error that names itself.

Reading is tried again after a while where that may help; a write never, unless the vendor said that it did nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Protocol

import httpx

from qianheng.core.errors import BadInput, Refused
from qianheng.core.words import say
from qianheng.vendors.qianchuan.api import Api, Endpoint, Json, number, spelt

TRIES = 7
READINGS = 4
PATIENCE = 30.0
LONGEST_WAIT = 60.0


class VendorRefused(Refused):
    """The vendor said no: with its code, its words, and the id under which it can be asked about."""

    def __init__(self, endpoint: str, code: int, message: str, request_id: str) -> None:
        super().__init__("sync.refused", place=endpoint, code=code, message=message, request_id=request_id or "–")
        self.code = code


class Unreachable(Refused):
    """No answer that can be read came, however often it was asked. Of a write it is not known whether it was done."""


class Access(Protocol):
    """Who asks: gives the token to ask with, and a new one for a token that the vendor takes no longer."""

    def token(self) -> str:
        """The token in force; refreshed before its time is over."""

    def renewed(self, refused: str) -> str:
        """Another token than the one refused."""


@dataclass(slots=True)
class Pace:
    """How time passes while the vendor is asked: a clock (seconds), a way to wait, and chance in [0, 1)."""

    clock: Callable[[], float]
    wait: Callable[[float], None]
    chance: Callable[[], float]
    waited: float = 0.0
    _next: dict[str, float] = field(default_factory=dict)

    def keep(self, name: str, a_minute: int) -> None:
        """Wait until an endpoint may be asked again."""
        now = self.clock()
        due = self._next.get(name, now)
        if due > now:
            self._wait(due - now)
        self._next[name] = max(due, now) + 60 / a_minute

    def back_off(self, attempt: int) -> None:
        """Wait longer with every attempt, each somewhat differently so that many who wait do not come back at once."""
        self._wait(min(LONGEST_WAIT, 2.0**attempt) * (0.5 + self.chance() / 2))

    def _wait(self, seconds: float) -> None:
        self.waited += seconds
        self.wait(seconds)


class _Again(Exception):
    """Asking again may help."""

    def __init__(self, why: str, untouched: bool, code: int = 0) -> None:
        super().__init__(why)
        self.untouched, self.code = untouched, code  # untouched: the vendor surely did nothing


@dataclass(slots=True)
class Client:
    """A client of the API. `said` keeps how many questions were asked, and how many again."""

    http: httpx.Client
    api: Api
    access: Access | None
    pace: Pace
    base: str
    asked: int = 0
    asked_again: int = 0

    def get(self, name: str, params: Mapping[str, Any]) -> Json:
        """The data of one answer. The vendor refuses: VendorRefused; no answer: Unreachable."""
        return self._tried(name, {key: _written(value) for key, value in params.items()}, None)

    def post(self, name: str, body: Json) -> Json:
        """The data of the answer to a body; of a write it may be unknown whether it was done: Unreachable."""
        return self._tried(name, None, body)

    def rows(self, name: str, params: Mapping[str, Any]) -> list[Json]:
        """All rows of a list, each once as told last, over all pages. A list that changes while it is read is read
        again for what was missed; one that never holds as many rows as it says: Refused.
        """
        found, total = dict[str, Json](), 0
        for _ in range(READINGS):
            more, total = self._read(name, params)
            found |= more
            if len(found) >= total:
                return list(found.values())
        raise Refused("sync.pages_short", place=name, found=len(found), total=total)

    def _read(self, name: str, params: Mapping[str, Any]) -> tuple[dict[str, Json], int]:
        """The rows of every page by what they are known by, and how many there should be as told last."""
        endpoint, found = self.api.endpoints[name], dict[str, Json]()
        for page in count(1):
            paged = {"page": page, "page_size": endpoint.page_size} if endpoint.page_size else {}
            data = self.get(name, {**params, **paged})
            rows = _rows(name, endpoint, data)
            found |= {_key(endpoint, row): row for row in rows}
            told = _total(name, data)
            more = len(rows) == endpoint.page_size if told is None else page * endpoint.page_size < told
            if not rows or not paged or not more:
                return found, len(found) if told is None else told
        raise AssertionError  # counting does not end

    def _tried(self, name: str, params: Json | None, body: Json | None) -> Json:
        endpoint = self.api.endpoints[name]
        for attempt in range(TRIES):
            self.pace.keep(name, endpoint.a_minute)
            try:
                return self._once(name, endpoint, params, body)
            except _Again as again:
                if (endpoint.method == "POST" and not again.untouched) or attempt == TRIES - 1:
                    key = "sync.unsure" if endpoint.writes else "sync.unreachable"
                    raise Unreachable(key, place=name, why=again, tries=attempt + 1) from None
                self.asked_again += 1
                self.pace.back_off(attempt)
        raise AssertionError  # the last attempt returns or raises

    def _once(self, name: str, endpoint: Endpoint, params: Json | None, body: Json | None) -> Json:
        token = self.access.token() if self.access else ""
        try:
            answer = self._asked(endpoint, params, body, token)
            if answer["code"] in self.api.codes.token_expired and self.access:
                answer = self._asked(endpoint, params, body, self.access.renewed(token))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Again(type(error).__name__, untouched=True) from None
        except httpx.HTTPError as error:
            raise _Again(type(error).__name__, untouched=False) from None
        return self._understood(name, answer)

    def _asked(self, endpoint: Endpoint, params: Json | None, body: Json | None, token: str) -> Json:
        self.asked += 1
        response = self.http.request(
            endpoint.method,
            f"{self.base}{self.api.prefix}{endpoint.path}",
            params=params,
            content=None if body is None else body_text(body).encode(),
            headers={"Access-Token": token, "Content-Type": "application/json"},
            timeout=PATIENCE,
        )
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _Again(str(status), untouched=status == httpx.codes.TOO_MANY_REQUESTS)
        return envelope(response.content, status)

    def _understood(self, name: str, answer: Json) -> Json:
        code, codes = answer["code"], self.api.codes
        if code == 0:
            data = spelt(answer.get("data") or {}, self.api.spellings)
            return data if isinstance(data, dict) else {"list": data}
        message, request_id = str(answer.get("message", "")), str(answer.get("request_id", ""))
        if code in codes.rate_limited or code in codes.try_again:
            raise _Again(f"{code} {message} ({request_id})", untouched=code in codes.rate_limited)
        if code in codes.token_expired and self.access:  # also the new one
            raise _Again(f"{code} {message}", untouched=True)
        if code in (*codes.sign_in_again, *codes.token_expired):
            raise VendorRefused(f"{name}: {say('sync.sign_in_again')}", code, message, request_id)
        raise VendorRefused(name, code, message, request_id)


def envelope(content: bytes, status: int) -> Json:
    """The envelope {code, message, request_id, data} of an answer, its numbers exact; asked again if it is none."""
    try:
        answer = json.loads(content, parse_float=Decimal)
    except ValueError:
        raise _Again(f"{status}, {say('sync.no_json')}", untouched=False) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("code"), int):
        raise _Again(f"{status}, {say('sync.no_envelope')}", untouched=False)
    return answer


def together(endpoint: Endpoint, ids: list[str]) -> Iterator[list[str]]:
    """Ids in groups that one question may hold."""
    for first in range(0, len(ids), endpoint.at_once):
        yield ids[first : first + endpoint.at_once]


def _rows(name: str, endpoint: Endpoint, data: Json) -> list[Json]:
    """The rows of a page. Something else than a list of objects: BadInput."""
    rows = data.get(endpoint.rows) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput("sync.not_as_documented", place=name, field=endpoint.rows)
    return rows


def _total(name: str, data: Json) -> int | None:
    """How many rows all pages hold; `None`: this list does not say. Something else than a number: BadInput."""
    told = _at(data, "page_info.total_number")
    try:
        return None if told is None else int(number(told))
    except BadInput:
        raise BadInput("sync.not_as_documented", place=name, field="page_info.total_number") from None


def _key(endpoint: Endpoint, row: Json) -> str:
    """What a row is known by, as text: the fields of the key, which may lie deeper."""
    return json.dumps([_at(row, name) for name in endpoint.key], sort_keys=True, default=str)


def _at(row: Any, name: str) -> Any:
    for part in name.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def _written(value: Any) -> Any:
    """A parameter as the vendor reads it: what is no plain value as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else value


def body_text(body: object) -> str:
    """A body exactly as it is sent."""
    return json.dumps(body, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    """A decimal of a write as a JSON number: two decimals survive a float, and the vendor's fields are floats."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise BadInput("core.not_a_number", value=str(value))
