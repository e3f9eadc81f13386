"""The access line, and how it is written."""

import json
from uuid import UUID

import pytest

from sharding.django.work import Work
from shop.core import access_log
from shop.core.access_log import ATOMIC, line_of
from shop.core.afterwards import Answered

ANA = UUID("0191a0b0-0000-7000-8000-00000000000a")


def answered(
    *, route: str = "/api/x/{id}/", status: int = 201, user: UUID | None = None
) -> Answered:
    work = Work()
    work.note("SELECT 1", "node_1", 0.25)
    work.note("COMMIT", "default", 0.5, queries=0)
    return Answered("mine", "GET", route, status, 1.2345678, 1763823845.75, work, user)


def test_a_line_says_what_was_asked_and_what_it_cost() -> None:
    line = line_of(answered())
    assert line.endswith("}\n")
    assert json.loads(line) == {
        "time": "2025-11-22T15:04:05.750Z",
        "level": "INFO",
        "logger": "shop.access",
        "request_id": "mine",
        "method": "GET",
        "route": "/api/x/{id}/",
        "status": 201,
        "duration_ms": 1234.57,
        "db_ms": 750.0,
        "db_queries": 1,
        "db_aliases": ["node_1", "default"],
    }


def test_a_line_names_its_user_by_a_digest_alone() -> None:
    line = line_of(answered(user=ANA))
    assert json.loads(line)["user"] == json.loads(line_of(answered(user=ANA)))["user"]
    assert str(ANA) not in line
    assert ANA.hex not in line


@pytest.mark.parametrize(
    ("route", "status", "count"),
    [("/health/ready", 200, 0), ("/health/ready", 503, 1), ("/metrics", 200, 0), ("/api/", 200, 1)],
)
def test_checks_that_go_well_leave_no_line(
    capfd: pytest.CaptureFixture[str], route: str, status: int, count: int
) -> None:
    access_log.write([answered(route=route, status=status)])
    assert len(capfd.readouterr().err.splitlines()) == count


def test_lines_leave_in_pieces_that_are_not_torn(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    monkeypatch.setattr(access_log.os, "write", lambda _, piece: pieces.append(piece))
    access_log.write([answered()] * 100)
    assert all(piece.endswith(b"}\n") and len(piece) <= ATOMIC for piece in pieces)
    assert 1 < len(pieces) < 20
    assert b"".join(pieces).count(b"\n") == 100
