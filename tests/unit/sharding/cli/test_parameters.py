"""What users type."""

import click
import pytest

from sharding.cli.parameters import BYTES, node_named
from sharding.cluster import Node
from sharding.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("512", 512), ("1kB", 1024), ("1.5GB", 3 * 2**29), ("2 tb", 2**41)],
)
def test_a_size_is_read_as_postgresql_reads_it(text: str, number: int) -> None:
    assert BYTES.convert(text, None, None) == number


@pytest.mark.parametrize("text", ["", "GB", "-1", "1,5GB", "3 parsecs"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        BYTES.convert(text, None, None)


def node(host: str, port: int) -> Node:
    return Node(
        id=port,
        group=port,
        host=host,
        port=port,
        role="primary",
        is_active=True,
        has_metadata=True,
        metadata_synced=True,
        should_have_shards=True,
    )


def test_a_node_is_named_as_shortly_as_is_unambiguous() -> None:
    nodes = [node("a", 5432), node("b", 5432), node("b", 5433)]
    assert node_named(nodes, "b:5432") is nodes[1]
    assert node_named(nodes, "5433") is nodes[2]
    assert node_named(nodes, "a") is nodes[0]
    with pytest.raises(InvalidInput, match="names several nodes; the nodes are a:5432, b:5432"):
        node_named(nodes, "5432")
    with pytest.raises(InvalidInput, match="no node of the cluster"):
        node_named(nodes, "c:5432")
