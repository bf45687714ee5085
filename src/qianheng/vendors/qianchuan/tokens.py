"""The vendor's tokens: one to ask with, a day long, and one to get the next pair with, a month long and good once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from qianheng.core.errors import BadInput
from qianheng.vendors.qianchuan.api import Json
from qianheng.vendors.qianchuan.client import Client

EARLY = timedelta(minutes=10)  # a token is renewed so long before its end: clocks differ, and answers take their time


@dataclass(frozen=True, slots=True)
class App:
    """The developer's app that a merchant lets in."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair of tokens and until when each is good. Never told to anybody: neither printed nor logged."""

    access: str
    access_until: datetime
    refresh: str
    refresh_until: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether the token may still be asked with."""
        return now < self.access_until - EARLY

    def __repr__(self) -> str:
        return f"Tokens(until {self.access_until.isoformat()})"


def sign_in(client: Client, app: App, code: str, now: datetime) -> Tokens:
    """The first pair, for the code that the merchant was given when he let the app in. Refused: VendorRefused."""
    body = {"app_id": _number(app.id), "secret": app.secret, "grant_type": "auth_code", "auth_code": code}
    return _pair(client.post("sign_in", body), now)


def refresh(client: Client, app: App, token: str, now: datetime) -> Tokens:
    """The next pair; the one before is good no longer. Refused: VendorRefused."""
    body = {"app_id": _number(app.id), "secret": app.secret, "grant_type": "refresh_token", "refresh_token": token}
    return _pair(client.post("refresh", body), now)


def _number(app_id: str) -> int:
    if not app_id.isdecimal():
        raise BadInput("core.not_a_number", place="app_id", value=app_id)
    return int(app_id)


def _pair(data: Json, now: datetime) -> Tokens:
    try:
        lasting = [timedelta(seconds=int(data[name])) for name in ("expires_in", "refresh_token_expires_in")]
        tokens = [data["access_token"], data["refresh_token"]]
        if not all(token and isinstance(token, str) for token in tokens):
            raise ValueError
        return Tokens(tokens[0], now + lasting[0], tokens[1], now + lasting[1])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadInput("sync.no_tokens", names=", ".join(data)) from None  # the names only: values are secret
