"""What messengers want to be sent: a signed webhook of our own, and the cards of Feishu, DingTalk and WeCom robots.

Each kind says how alerts are written in its format and signed by its rule, and how its answer is understood: robots
answer 200 to much that they refuse. Formats after the robots' public manuals: open.feishu.cn "Custom bot",
open.dingtalk.com "Custom robot access", developer.work.weixin.qq.com "Group robot".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from qianheng.core.webhooks import signed

Json = dict[str, Any]
_FEISHU_COLOURS = {"urgent": "red", "act": "orange", "watch": "yellow", "normal": "green"}
_WECOM_COLOURS = {"urgent": "warning", "act": "warning", "watch": "comment", "normal": "info"}
_WECOM_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to tell: a line that says it, lines under it, how grave it is, and all of it as JSON with its id."""

    title: str
    lines: tuple[str, ...]
    severity: str
    body: Json


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told together: under which id and heading, when, and what."""

    id: int
    heading: str
    at: datetime
    told: Sequence[Told]

    @property
    def severity(self) -> str:
        """How grave the gravest of it is."""
        order = list(_FEISHU_COLOURS)
        return min((one.severity for one in self.told), key=order.index)


@dataclass(frozen=True, slots=True)
class Post:
    """An HTTP request: POST this body there."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Messenger:
    """A kind of channel: how a letter is written (address, secret, letter), how an answer is understood, how many
    things it takes at once and how often a minute.
    """

    write: Callable[[str, str, Letter], Post]
    refused: Callable[[Json], str]
    at_once: int
    a_minute: int


def understood(messenger: Messenger, status: int, content: bytes) -> tuple[bool, bool, str]:
    """Whether an answer accepts, whether trying again may help if not, and what it says."""
    text = content[:200].decode("utf-8", "replace")
    if not 200 <= status < 300:
        return False, status in (408, 425, 429) or status >= 500, f"{status} {text}".strip()
    try:
        answer = json.loads(content or b"{}")
    except ValueError:
        answer = {}
    why = messenger.refused(answer) if isinstance(answer, dict) else ""
    return not why, True, why or str(status)


def _webhook(address: str, secret: str, letter: Letter) -> Post:
    """One event a request, signed (`core.webhooks`)."""
    body = _json({"type": "alert", "sent_at": letter.at.isoformat(), "data": letter.told[0].body})
    headers = signed(str(letter.id), letter.at, body, secret) if secret else {"webhook-id": str(letter.id)}
    return Post(address, {**_JSON, **headers}, body)


def _feishu(address: str, secret: str, letter: Letter) -> Post:
    """An interactive card; signed by HMAC over nothing, under "TIMESTAMP\\nSECRET" as the key."""
    parts = [{"tag": "div", "text": {"tag": "lark_md", "content": _markdown(one, "\n")}} for one in letter.told]
    header = {"title": {"tag": "plain_text", "content": letter.heading}, "template": _FEISHU_COLOURS[letter.severity]}
    body: Json = {"msg_type": "interactive", "card": {"header": header, "elements": parts}}
    if secret:
        timestamp = str(int(letter.at.timestamp()))
        digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
        body |= {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
    return Post(address, _JSON, _json(body))


def _dingtalk(address: str, secret: str, letter: Letter) -> Post:
    """Markdown; signed in the address by HMAC over "MILLISECONDS\\nSECRET" under the secret."""
    text = "\n\n".join([f"### {letter.heading}", *(_markdown(one, "  \n") for one in letter.told)])
    body = {"msgtype": "markdown", "markdown": {"title": letter.heading, "text": text}}
    if secret:
        timestamp = str(int(letter.at.timestamp() * 1000))
        digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
        sign = quote_plus(base64.b64encode(digest).decode())
        address += f"{'&' if '?' in address else '?'}timestamp={timestamp}&sign={sign}"
    return Post(address, _JSON, _json(body))


def _wecom(address: str, _: str, letter: Letter) -> Post:
    """Markdown of at most 4096 bytes; its key is part of the address."""
    colour = _WECOM_COLOURS[letter.severity]
    head = f'## <font color="{colour}">{letter.heading}</font>'
    text = "\n".join([head, *(_markdown(one, "\n") for one in letter.told)])
    content = text.encode()[:_WECOM_BYTES].decode("utf-8", "ignore")
    return Post(address, _JSON, _json({"msgtype": "markdown", "markdown": {"content": content}}))


def _markdown(told: Told, newline: str) -> str:
    return newline.join([f"**{told.title}**", *told.lines])


def _json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _code(name: str, text: str) -> Callable[[Json], str]:
    """How a robot says no in an answer of 200: by a code that is not 0."""
    return lambda answer: f"{answer[name]} {answer.get(text, '')}".strip() if answer.get(name) else ""


_JSON = {"content-type": "application/json; charset=utf-8"}
MESSENGERS: dict[str, Messenger] = {
    "webhook": Messenger(_webhook, lambda _: "", at_once=1, a_minute=600),
    "feishu": Messenger(_feishu, _code("code", "msg"), at_once=10, a_minute=20),
    "dingtalk": Messenger(_dingtalk, _code("errcode", "errmsg"), at_once=10, a_minute=20),
    "wecom": Messenger(_wecom, _code("errcode", "errmsg"), at_once=10, a_minute=20),
}
"""The kinds of channel that are reached by HTTP."""
