"""Signed webhooks: what a sender signs and a receiver checks, in the manner of Standard Webhooks.

Signed is "ID.TIMESTAMP.BODY" by HMAC-SHA256 under the secret both know; a receiver refuses what is older or newer than
five minutes, and remembers ids for as long, so that nothing caught on the way can be told twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from qianheng.core.errors import Refused

REPLAY_WINDOW = timedelta(minutes=5)
_PREFIX = "whsec_"


def signed(message_id: str, at: datetime, body: bytes, secret: str) -> dict[str, str]:
    """The headers under which a body is sent: its id, when, and the signature of all three."""
    timestamp = str(int(at.timestamp()))
    signature = f"v1,{_signature(message_id, timestamp, body, secret)}"
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str:
    """The id of a webhook that comes from whoever knows the secret, and now; header names in any case.

    A header missing, a signature that does not fit, or a time outside the replay window: Refused.
    """
    told = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if name not in told]
    if missing:
        raise Refused("core.webhook.missing", names=", ".join(missing))
    message_id, timestamp = told["webhook-id"], told["webhook-timestamp"]
    wanted = _signature(message_id, timestamp, body, secret)
    given = (part.partition(",") for part in told["webhook-signature"].split())
    if not any(version == "v1" and hmac.compare_digest(value.encode(), wanted.encode()) for version, _, value in given):
        raise Refused("core.webhook.signature")
    if not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > REPLAY_WINDOW.total_seconds():
        raise Refused("core.webhook.time", minutes=int(REPLAY_WINDOW.total_seconds()) // 60)
    return message_id


def _signature(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """The bytes of a secret: those that base64 writes after "whsec_", else the text itself."""
    if secret.startswith(_PREFIX):
        return base64.b64decode(secret.removeprefix(_PREFIX))
    return secret.encode()
