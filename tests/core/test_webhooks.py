"""A signed webhook is taken from whoever knows the secret, now, and from nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from qianheng.core.errors import Refused
from qianheng.core.webhooks import signed, verify

AT = datetime(2025, 10, 1, 9, tzinfo=UTC)
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBzaG9w"


def test_what_is_signed_is_taken_with_header_names_in_any_case() -> None:
    headers = {name.upper(): value for name, value in signed("m1", AT, b"body", SECRET).items()}
    assert verify(headers, b"body", SECRET, AT + timedelta(minutes=4)) == "m1"


def test_the_signature_is_that_of_the_standard() -> None:
    """An example signed by another implementation of Standard Webhooks."""
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', secret)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("body", "secret", "minutes", "key"),
    [
        (b"another", SECRET, 0, "signature"),
        (b"body", "guessed", 0, "signature"),
        (b"body", SECRET, 6, "time"),
        (b"body", SECRET, -6, "time"),
    ],
)
def test_what_does_not_fit_is_refused(body: bytes, secret: str, minutes: int, key: str) -> None:
    with pytest.raises(Refused) as refused:
        verify(signed("m1", AT, b"body", SECRET), body, secret, AT + timedelta(minutes=minutes))
    assert refused.value.key == f"core.webhook.{key}"


def test_a_signature_that_no_one_can_have_made_is_refused_like_any_other() -> None:
    headers = signed("m1", AT, b"body", SECRET) | {"webhook-signature": "v1,签名"}
    with pytest.raises(Refused):
        verify(headers, b"body", SECRET, AT)


def test_missing_headers_are_all_named() -> None:
    with pytest.raises(Refused, match="webhook-id, webhook-signature"):
        verify({"webhook-timestamp": "0"}, b"", SECRET, AT)
