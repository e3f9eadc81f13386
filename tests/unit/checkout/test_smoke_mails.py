"""The two places where `smoke` finds the mail that the stack has sent."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from shop.checkout.smoke import aftermath, mails
from shop.checkout.smoke.client import Failed

ORDER = "0192-order"
MAIL = f"To: ana@example.com\nSubject: Your order\n\nThank you for {ORDER}.\n".encode()
OTHER = b"To: bo@example.com\nSubject: Another\n\nNothing of hers.\n"


def mailpit(kept: dict[str, bytes]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/messages":
            return httpx.Response(200, json={"messages": [{"ID": one} for one in kept]})
        return httpx.Response(200, content=kept[request.url.path.split("/")[4]])

    return answer


def client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://mail")


def test_a_confirmation_is_found_among_files(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(OTHER)
    (tmp_path / "b.eml").write_bytes(MAIL)
    text = aftermath.confirmation_of(ORDER, mails.kept_in(tmp_path))
    assert text == f"To: ana@example.com\nSubject: Your order\n\nThank you for {ORDER}."


def test_a_confirmation_is_found_in_mailpit() -> None:
    with client(mailpit({"x": OTHER, "y": MAIL})) as http:
        text = aftermath.confirmation_of(ORDER, mails.of_mailpit(http))
    assert text.startswith("To: ana@example.com\nSubject: Your order\n")


def test_each_mail_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(OTHER)
    kept = {"x": OTHER}
    files, api = mails.kept_in(tmp_path), mails.of_mailpit(client(mailpit(kept)))
    for read in (files, api):
        assert list(read()) == [OTHER]
        assert list(read()) == []
    (tmp_path / "b.eml").write_bytes(MAIL)
    kept["y"] = MAIL
    for read in (files, api):
        assert list(read()) == [MAIL]


def test_a_mailpit_that_fails_is_no_empty_one() -> None:
    with client(lambda request: httpx.Response(502)) as http, pytest.raises(httpx.HTTPError):
        list(mails.of_mailpit(http)())


def test_a_mail_that_does_not_come_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "PATIENCE", 0.1)
    with pytest.raises(Failed, match=f"no mail about order {ORDER}"):
        aftermath.confirmation_of(ORDER, lambda: [OTHER])
