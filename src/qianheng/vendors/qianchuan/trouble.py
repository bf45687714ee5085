"""Trouble that a real vendor makes, for the server to make on purpose: a share of its answers goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qianheng.core.errors import BadInput
from qianheng.vendors.qianchuan.api import Json
from qianheng.vendors.qianchuan.question import RATE_LIMITED, Request
from qianheng.vendors.qianchuan.server import Server

KINDS = ("429", "500", "rate", "cut", "double", "total", "reorder", "expire", "lost")


@dataclass(slots=True)
class Trouble:
    """Answers of a server, of which a share by kind goes wrong: `429` and `500` as statuses, `rate` as a code, `cut` in
    the middle, `double` repeats the page before, `total` tells of one row more, `reorder` turns a page round, `expire`
    ends the tokens, `lost` does what was asked and answers nothing. Unknown kind, or no share: BadInput.
    """

    server: Server
    shares: Mapping[str, float]
    chance: Callable[[], float]

    def __post_init__(self) -> None:
        for kind, share in self.shares.items():
            if kind not in KINDS or not 0 <= share <= 1:
                raise BadInput("sync.trouble", place="--trouble", value=f"{kind}={share}", known=", ".join(KINDS))

    def answer(self, request: Request) -> tuple[int, bytes]:
        """The status and the bytes of an answer."""
        kind = next((kind for kind, share in self.shares.items() if self.chance() < share), "")
        if kind in ("429", "500"):
            return int(kind), b""
        if kind == "rate":
            return 200, _written({"code": RATE_LIMITED, "message": "Too many requests.", "request_id": "", "data": {}})
        if kind == "expire":
            self.server.expire()
        if kind == "double" and int(request.params.get("page", 1)) > 1:
            before = {**request.params, "page": str(int(request.params["page"]) - 1)}
            request = Request(request.method, request.path, before, request.body, request.token)
        status, told = self.server.answer(request)
        if kind in ("total", "reorder"):
            _changed(kind, told["data"])
        content = _written(told)
        return (502, b"") if kind == "lost" else (status, content[: len(content) // 2] if kind == "cut" else content)


def _changed(kind: str, data: Json) -> None:
    for name, value in data.items():
        if kind == "reorder" and isinstance(value, list):
            value.reverse()
        if kind == "total" and name == "page_info":
            value |= {total: value[total] + 1 for total in ("total_num", "total_number") if total in value}


def _written(told: Json) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()
