"""Results as JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sharding.cli.shapes import plain
from sharding.inspection.findings import Severity


@dataclass
class Thing:
    name: str
    parts: tuple[object, ...]


def test_dataclasses_become_objects_down_to_the_leaves() -> None:
    thing = Thing(
        "shard",
        (
            timedelta(milliseconds=250),
            datetime(2026, 1, 2, tzinfo=UTC),
            Severity.ERROR,
            Decimal("12.50"),
            Decimal(7),
            UUID(int=1),
            {1: Thing("inner", ())},
            None,
        ),
    )
    assert plain(thing) == {
        "name": "shard",
        "parts": [
            0.25,
            "2026-01-02T00:00:00+00:00",
            "error",
            12.5,
            7,
            "00000000-0000-0000-0000-000000000001",
            {"1": {"name": "inner", "parts": []}},
            None,
        ],
    }
