"""Judgements for which a cluster of one machine cannot be brought about."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from sharding.cluster import Node
from sharding.inspection import preflight
from sharding.inspection.leftovers import Leftovers
from sharding.inspection.nodes import NodeFacts
from sharding.inspection.placements import Layout
from sharding.inspection.preflight.facts import Facts, NodeState

FACTS = NodeFacts(
    postgresql="15.20",
    extension="13.2-1",
    library="13.2.2",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    max_connections=100,
    connections=1,
    active=0,
    from_nodes=0,
    disk_free=10**12,
    disk_total=10**12,
)


def state(group: int, **changes: str) -> NodeState:
    node = Node(
        id=group + 1,
        group=group,
        host="10.0.0.1",
        port=5432 + group,
        role="primary",
        is_active=True,
        has_metadata=True,
        metadata_synced=True,
        should_have_shards=group > 0,
    )
    facts = dataclasses.replace(FACTS, **changes)  # type: ignore[arg-type]
    return NodeState(node=node, facts=facts, capacity=None, transactions=())


def codes(*states: NodeState) -> list[str]:
    facts = Facts(
        nodes=states,
        links=(),
        layout=Layout(nodes=(), tables=(), placements=()),
        groups=(),
        identities=(),
        missing_references={},
        leftovers=Leftovers(found=(), running=()),
        jobs=(),
        wal_headroom=None,
        long=timedelta(0),
    )
    return [finding.code for finding in preflight.judge(facts)]


def test_equal_versions_are_fine() -> None:
    assert codes(state(0), state(1), state(2)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"library": "13.2.1"}, "citus-version-mismatch"),
        ({"library": "13.10.0", "extension": "13.1-1"}, "extension-mismatch"),
        ({"postgresql": "16.1"}, "postgresql-version-mismatch"),
    ],
)
def test_a_node_of_another_version_is_named(changes: dict[str, str], code: str) -> None:
    assert code in codes(state(0), state(1), state(2, **changes))


def test_a_coordinator_that_is_not_registered_is_named() -> None:
    assert codes(state(1), state(2)) == ["coordinator-not-registered"]


def test_errors_come_first() -> None:
    found = codes(state(0), state(1, postgresql="16.1"), state(2, library="13.2.1"))
    assert found == ["citus-version-mismatch", "postgresql-version-mismatch"]
