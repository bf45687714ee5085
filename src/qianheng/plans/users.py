"""A part of all users by chance: which of them an arm of an experiment, or a hold-out, is about (SPEC 8.4, 12)."""

from __future__ import annotations

from typing import NamedTuple

from qianheng.core.assignment import SHARES, share_of
from qianheng.core.errors import BadInput


class UserShare(NamedTuple):
    """The users whose share under `salt` lies in [first, end) of 0 … 9,999; always the same ones, on every machine."""

    salt: int
    first: int
    end: int

    def has(self, user_id: int) -> bool:
        """Whether a user is one of them."""
        return self.first <= share_of(self.salt, user_id) < self.end

    @property
    def size(self) -> int:
        """How many ten-thousandths of all users they are."""
        return self.end - self.first


def user_share(users: tuple[int, ...]) -> UserShare | None:
    """The share that a plan holds as plain numbers; `None` for all users. No share at all: BadInput."""
    if not users:
        return None
    if len(users) != len(UserShare._fields) or not 0 <= users[1] < users[2] <= SHARES or users[0] < 0:
        raise BadInput("plans.users", place="users", value=", ".join(map(str, users)), whole=SHARES)
    return UserShare(*users)
