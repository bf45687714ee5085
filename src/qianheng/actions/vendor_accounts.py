"""The ad accounts of a vendor that an owner connected: who asks, with which tokens, and what may be written there.

Each is a file of its own in `QIANHENG_HOME/accounts` that only its owner may read. The app's secret is not kept, only
where it stands; tokens are, and are never shown.
"""

from __future__ import annotations

import fcntl
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import SystemRandom
from urllib.parse import urlsplit

import httpx

from qianheng.actions.secrets import revealed
from qianheng.core import tables
from qianheng.core.days import parse_time
from qianheng.core.errors import BadInput, NotFound, Refused, raise_together
from qianheng.core.money import decimal
from qianheng.store.database import home_path, own_file
from qianheng.store.files import write_whole
from qianheng.vendors.qianchuan.api import OWN, Api, api
from qianheng.vendors.qianchuan.client import Client, Pace
from qianheng.vendors.qianchuan.tokens import App, Tokens, refresh, sign_in

FOLDER = "accounts"
ONLY_OWNER = 0o600
_NAME = re.compile(r"[\w.-]{1,40}")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Writes:
    """What the owner allows to be written to an account: budgets up to so much (yuan), each change of a target or a
    budget by at most a share of what it was, and so many changes of one plan a day.
    """

    budget_at_most: Decimal
    change_at_most: Decimal = Decimal("0.2")
    changes_a_day: int = 3

    def __post_init__(self) -> None:
        raise_together(
            [
                BadInput("sync.not_above_zero", place=name, value=getattr(self, name))
                for name in ("budget_at_most", "change_at_most", "changes_a_day")
                if getattr(self, name) <= 0
            ]
        )


@dataclass(frozen=True, slots=True)
class VendorAccount:
    """A connected account. `secret` says where the app's secret stands; without `writes` nothing may be written."""

    name: str
    base: str
    advertiser: str
    app: str
    secret: str
    access: str = ""
    access_until: str = ""
    refresh: str = ""
    refresh_until: str = ""
    writes: Writes | None = None

    @property
    def tokens(self) -> Tokens:
        """The tokens kept."""
        return Tokens(self.access, parse_time(self.access_until), self.refresh, parse_time(self.refresh_until))

    def having(self, tokens: Tokens) -> VendorAccount:
        """The same with other tokens."""
        until = tokens.access_until.isoformat(), tokens.refresh_until.isoformat()
        return replace(
            self, access=tokens.access, access_until=until[0], refresh=tokens.refresh, refresh_until=until[1]
        )

    def __repr__(self) -> str:
        return f"VendorAccount({self.name!r}, {self.advertiser!r} at {self.base})"


def known_api() -> Api:
    """The vendor's API as shipped, or by the owner's copy of its file."""
    return api(own_file(OWN))


def connect(wanted: VendorAccount, code: str, clock: Clock) -> VendorAccount:
    """Sign in with the code that the vendor gave when the app was let in, or with `wanted.refresh`, a token to refresh
    by (both as text or where they stand), and keep the account.

    What cannot be: BadInput, all of it at once; the vendor refuses: VendorRefused; nothing is kept then.
    """
    _check(wanted, code)
    app, client = App(wanted.app, revealed(wanted.secret)), _client(wanted, None, clock)
    if code:
        tokens = sign_in(client, app, revealed(code), clock())
    else:
        tokens = refresh(client, app, revealed(wanted.refresh), clock())
    with _alone(wanted.name):
        before = {one.name: one for one in accounts()}.get(wanted.name)
        account = replace(wanted.having(tokens), writes=before.writes if before else None)
        _keep(account)
    return account


def accounts() -> list[VendorAccount]:
    """All connected accounts by name. A file that others may read: Refused; one that cannot be read: BadInput."""
    return [_load(path) for path in sorted((home_path() / FOLDER).glob("*.json"))]


def account_of(name: str = "") -> VendorAccount:
    """The account of a name, or the only one. None: NotFound; several: BadInput."""
    known = accounts()
    matching = [one for one in known if name == one.name]
    matching = matching or [one for one in known if name in ("", one.advertiser)]
    names = ", ".join(one.name for one in known)
    if not known:
        raise NotFound("sync.no_accounts")
    if not matching:
        raise NotFound("sync.no_account", place="--account", value=name, known=names)
    if len(matching) > 1:
        raise BadInput("sync.which_account", place="--account", known=names)
    return matching[0]


def allow(name: str, writes: Writes | None) -> VendorAccount:
    """Keep what may be written to an account; `None`: nothing any more."""
    with _alone(account_of(name).name):  # whoever renews the tokens meanwhile would be undone
        account = replace(account_of(name), writes=writes)
        _keep(account)
    return account


def disconnect(name: str) -> None:
    """Forget an account with its tokens; what was read of it stays."""
    path = _path(account_of(name).name)
    with _alone(path.stem):  # whoever renews the tokens meanwhile would keep them again
        for suffix in (".json", ".lock", ".busy"):
            path.with_suffix(suffix).unlink(missing_ok=True)


def client_of(account: VendorAccount, clock: Clock) -> Client:
    """A client that asks for an account, whose tokens are renewed and kept as they end."""
    return _client(account, KeptAccess(account, clock), clock)


@contextmanager
def alone_with(account: VendorAccount) -> Iterator[None]:
    """No other process reads or writes an account meanwhile. One does: Refused."""
    path = _path(account.name).with_suffix(".busy")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused("sync.busy", place=account.name) from None
        yield


class KeptAccess:
    """The tokens of an account as kept: renewed before their time, by one process at a time, and kept before used."""

    def __init__(self, account: VendorAccount, clock: Clock) -> None:
        self._account, self._clock = account, clock

    def token(self) -> str:
        """The token in force."""
        if not self._account.tokens.fresh(self._clock()):
            return self.renewed(self._account.access)
        return self._account.access

    def renewed(self, refused: str) -> str:
        """Another token than the one refused: another process may have got it already."""
        with _alone(self._account.name):
            self._account = account_of(self._account.name)
            if self._account.access == refused:
                app = App(self._account.app, revealed(self._account.secret))
                client = _client(self._account, None, self._clock)
                self._account = self._account.having(refresh(client, app, self._account.refresh, self._clock()))
                _keep(self._account)
        return self._account.access


def _client(account: VendorAccount, access: KeptAccess | None, clock: Clock) -> Client:
    pace = Pace(time.monotonic, time.sleep, SystemRandom().random)
    return Client(network(), known_api(), access, pace, account.base)


def network() -> httpx.Client:
    """What the vendor is reached by."""
    return httpx.Client()


def _check(wanted: VendorAccount, code: str) -> None:
    faults = []
    if not _NAME.fullmatch(wanted.name):
        faults.append(BadInput("sync.bad_name", place="NAME", value=wanted.name))
    if not _safe(wanted.base):
        faults.append(BadInput("sync.not_https", place="--at", value=wanted.base))
    for place, value in (("--advertiser", wanted.advertiser), ("--app", wanted.app)):
        if not value.isdecimal():
            faults.append(BadInput("core.not_a_number", place=place, value=value))
    if bool(code) == bool(wanted.refresh):
        faults.append(BadInput("sync.code_or_token", place="--code"))
    secrets = (("--secret", wanted.secret), ("--code", code), ("--refresh-token", wanted.refresh))
    faults += [
        BadInput("alerts.channel.bare_secret", place=place)
        for place, value in secrets
        if (value or place == "--secret") and not value.startswith(("env:", "file:"))
    ]
    raise_together(faults)


def _safe(base: str) -> bool:
    """Whether tokens may be sent there: over https, or to this machine."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or here)


def _path(name: str) -> Path:
    return home_path() / FOLDER / f"{name}.json"


def _keep(account: VendorAccount) -> None:
    body = {name: value for name, value in asdict(account).items() if value is not None}
    _path(account.name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(_path(account.name), json.dumps(body, default=str, indent=1).encode(), ONLY_OWNER)


def _load(path: Path) -> VendorAccount:
    if path.stat().st_mode & 0o077:
        raise Refused("alerts.channel.open_file", place=str(path))
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if writes := body.get("writes"):
            body["writes"] = writes | {name: decimal(told) for name, told in writes.items() if name.endswith("at_most")}
    except (ValueError, AttributeError, TypeError) as error:  # no JSON, or no object
        raise BadInput("core.unreadable_file", place=str(path), why=error) from None
    except BadInput as error:
        raise error.at(str(path)) from None
    return tables.build(VendorAccount, body, str(path))


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Nobody else renews the tokens of an account meanwhile."""
    path = _path(name).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
