"""A server that speaks the vendor's JSON over books of its own: for tests, for demos, and for trying a client out.

Field names, envelopes and limits as the official SDK and the public manuals tell them; `api.toml` says the units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from qianheng.core.ids import stable_id
from qianheng.vendors.qianchuan.answers import READS
from qianheng.vendors.qianchuan.api import Api, Json
from qianheng.vendors.qianchuan.books import Books
from qianheng.vendors.qianchuan.orders import WRITES
from qianheng.vendors.qianchuan.question import NO_PERMISSION, OK, RATE_LIMITED, Asked, No, Request
from qianheng.vendors.qianchuan.tokens import App

EXPIRED, REFRESH_EXPIRED, NO_TOKEN, WRONG_TOKEN, WRONG_REFRESH, WRONG_CODE = 40102, 40103, 40104, 40105, 40107, 40110
ACCESS_SECONDS, REFRESH_SECONDS = 86_400, 2_592_000
NO_SUCH_PATH = 404
_ROUTES = READS | WRITES


@dataclass(slots=True)
class Server:
    """The vendor: its books by advertiser, the app let in with `code`, the tokens given out and until when they hold,
    and how often each endpoint was asked in the minute.
    """

    api: Api
    books: Mapping[str, Books]
    app: App
    code: str
    clock: Callable[[], datetime]
    limited: bool = True
    asked: int = 0
    _access: dict[str, datetime] = field(default_factory=dict)
    _refresh: dict[str, datetime] = field(default_factory=dict)
    _minutes: dict[tuple[str, int], int] = field(default_factory=dict)

    def answer(self, request: Request) -> tuple[int, Json]:
        """The HTTP status and the envelope of the answer to a question."""
        self.asked += 1
        named = {(str(one.method), one.path): name for name, one in self.api.endpoints.items()}
        name = named.get((request.method, request.path))
        if name is None:
            return NO_SUCH_PATH, self._envelope(NO_PERMISSION, f"no such path: {request.method} {request.path}", {})
        try:
            self._limit(name)
            if name in ("sign_in", "refresh"):
                return 200, self._envelope(OK, "OK", self._signed_in(name, request.body))
            self._check_token(request.token)
            return 200, self._envelope(OK, "OK", _ROUTES[name](self._asked(name, request)))
        except No as no:
            return 200, self._envelope(no.code, str(no), {})

    def expire(self) -> None:
        """Let every token to ask with come to its end now."""
        self._access = dict.fromkeys(self._access, self.clock())

    def _envelope(self, code: int, message: str, data: Json) -> Json:
        request_id = f"{self.clock():%Y%m%d%H%M%S}{stable_id('request', self.asked):019d}"
        return {"code": code, "message": message, "request_id": request_id, "data": data}

    def _limit(self, name: str) -> None:
        minute = (name, int(self.clock().timestamp()) // 60)
        self._minutes[minute] = self._minutes.get(minute, 0) + 1
        if self.limited and self._minutes[minute] > self.api.endpoints[name].a_minute:
            raise No(RATE_LIMITED, "Too many requests. Please retry in some time.")

    def _check_token(self, token: str) -> None:
        if not token:
            raise No(NO_TOKEN, "The access_token is empty.")
        if token not in self._access:
            raise No(WRONG_TOKEN, "The access_token is wrong.")
        if self._access[token] <= self.clock():
            raise No(EXPIRED, "The access_token has expired.")

    def _signed_in(self, name: str, body: Json) -> Json:
        if (str(body.get("app_id")), body.get("secret")) != (self.app.id, self.app.secret):
            raise No(NO_PERMISSION, "app_id or secret is wrong.")
        if name == "sign_in" and body.get("auth_code") != self.code:
            raise No(WRONG_CODE, "auth_code is wrong or has expired.")
        if name == "refresh":
            until = self._refresh.pop(str(body.get("refresh_token")), None)
            if until is None:
                raise No(WRONG_REFRESH, "The refresh_token is wrong.")
            if until <= self.clock():
                raise No(REFRESH_EXPIRED, "The refresh_token has expired.")
        access, fresh = (f"{stable_id(kind, self.asked, self.app.secret):x}" for kind in ("access", "refresh"))
        self._access[access] = self.clock() + timedelta(seconds=ACCESS_SECONDS)
        self._refresh[fresh] = self.clock() + timedelta(seconds=REFRESH_SECONDS)
        told: Json = {"access_token": access, "expires_in": ACCESS_SECONDS - 1, "refresh_token": fresh}
        told |= {"refresh_token_expires_in": REFRESH_SECONDS - 1}
        return told | ({"advertiser_ids": [*map(int, self.books)]} if name == "sign_in" else {})

    def _asked(self, name: str, request: Request) -> Asked:
        params = request.body if request.method == "POST" else request.params
        books = self.books.get(str(params.get("advertiser_id")))
        if books is None:
            raise No(NO_PERMISSION, "No permission to operate this advertiser.")
        return Asked(self.api, self.api.endpoints[name], params, books)
