"""The nodes of the cluster, as /status/ lists them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shop.monitoring import saying
from shop.monitoring.charts import Say
from shop.monitoring.prometheus import Sample


@dataclass
class Node:
    """A node and how it is: what its figures say, by their names without ``sharding_``."""

    name: str
    role: str
    alias: str
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        return self.figures.get("node_up") == 1

    @property
    def connections(self) -> str:
        """How many of how many."""
        most = self.figures.get("node_max_connections")
        return f"{self._said('node_connections')} of {saying.count(most)}" if most else "–"

    @property
    def shards(self) -> str:
        return self._said("node_shards")

    @property
    def bytes(self) -> str:
        return self._said("node_bytes", saying.size)

    @property
    def prepared(self) -> str:
        return self._said("prepared_transactions")

    @property
    def longest(self) -> str:
        return self._said("longest_transaction_seconds", saying.seconds)

    @property
    def lag(self) -> str:
        return self._said("replication_lag_bytes", saying.size)

    def _said(self, name: str, say: Say = saying.count) -> str:
        return say(self.figures[name]) if name in self.figures else "–"


def nodes_of(samples: Iterable[Sample]) -> list[Node]:
    """Return the nodes that the samples tell of, the coordinator first."""
    found: dict[str, Node] = {}
    for labels, value in samples:
        if (name := labels.get("node")) is None:
            continue
        node = found.setdefault(name, Node(name=name, role="", alias=""))
        if labels["__name__"] == "sharding_node_info":
            node.role, node.alias = labels["role"], labels["alias"]
        else:
            node.figures[labels["__name__"].removeprefix("sharding_")] = value
    return sorted(found.values(), key=lambda node: (node.role == "worker", node.name))
