"""Everything the sharding library raises.

ShardingError
├── UnscopedQuery          a query that names no shard key and would ask every shard
└── ClusterNotAvailable    the cluster cannot be prepared or reached as it has to be
"""


class ShardingError(Exception):
    """Base of all errors of this library."""


class UnscopedQuery(ShardingError):
    """Raised before a query is sent that would fan out over all shards without saying so."""


class ClusterNotAvailable(ShardingError):
    """Raised when the nodes of a cluster cannot be reached or are not set up as required."""
