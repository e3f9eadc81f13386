"""Everything the sharding library raises.

ShardingError
├── UnscopedQuery          a query that names no shard key and would ask every shard
├── InvalidInput           what the user gave cannot be meant: an unknown table, a malformed key
│   ├── UnknownTable       no distributed table or colocation group of that name
│   ├── InvalidKey         no value of the distribution column's type
│   └── UnsupportedKeyType a type whose hash this library does not know
├── IncompleteShardMap     the catalogue's shards do not cover every hash once
├── Declined               the user did not consent, or could not be asked
├── ClusterNotAvailable    the cluster cannot be prepared or reached as it has to be
│   ├── CitusMissing       a PostgreSQL without the extension
│   ├── NotTheCoordinator  a worker, where the coordinator is needed
│   ├── ThroughAPooler     the DSN leads to a pooler, not to a server
│   └── CoordinatorLost    the coordinator went away in the middle
├── NodeNotAvailable       one node of a cluster that is otherwise there
├── QueryFailed            a server refused a statement
├── Blocked                preflight found an error; nothing has been changed
│   ├── Busy               another shardctl acts, or Citus rebalances by itself
│   ├── NodesDisagree      the nodes' metadata differ, or a placement has no table
│   └── JournalNotWritable the role may not keep shardctl's journal
├── MoveFailed             a move, split or isolation did not succeed; it was undone
├── NotProven              a move is done, and its rows were not shown to be the same
├── WaitedTooLong          the application stayed too slow for the next move to begin
├── Stopped                ended early because `shardctl stop` asked for it
└── Interrupted            ended early by Ctrl-C, a lost terminal or a signal; cleaned up

Each has a stable `code` for scripts, and the exit code with which `shardctl` ends.
"""

from typing import ClassVar


class ShardingError(Exception):
    """Base of all errors of this library."""

    code: ClassVar[str] = "sharding_error"
    exit_code: ClassVar[int] = 1


class UnscopedQuery(ShardingError):
    """Raised before a query is sent that would fan out over all shards without saying so."""

    code = "unscoped_query"


class InvalidInput(ShardingError):
    """Raised when what the user gave names nothing that there is, or cannot be read."""

    code = "invalid_input"
    exit_code = 2


class UnknownTable(InvalidInput):
    """Raised when the cluster has no such distributed table or colocation group."""

    code = "unknown_table"


class InvalidKey(InvalidInput):
    """Raised when a key is no value of the type that its distribution column has."""

    code = "invalid_key"


class UnsupportedKeyType(InvalidInput):
    """Raised when keys of a type cannot be hashed outside the server."""

    code = "unsupported_key_type"


class IncompleteShardMap(ShardingError):
    """Raised when the shards of a table, as the catalogue tells, do not cover every hash once."""

    code = "incomplete_shard_map"


class Declined(ShardingError):
    """Raised when a change was not consented to. Nothing has been changed."""

    code = "declined"
    exit_code = 2


class ClusterNotAvailable(ShardingError):
    """Raised when the nodes of a cluster cannot be reached or are not set up as required."""

    code = "cluster_not_available"
    exit_code = 3


class CitusMissing(ClusterNotAvailable):
    """Raised when the PostgreSQL that was asked has no Citus extension."""

    code = "citus_missing"


class NotTheCoordinator(ClusterNotAvailable):
    """Raised when the DSN leads to a worker."""

    code = "not_the_coordinator"


class ThroughAPooler(ClusterNotAvailable):
    """Raised when a pooler answers in a server's place: its sessions are not ours to change."""

    code = "through_a_pooler"


class CoordinatorLost(ClusterNotAvailable):
    """Raised when the connection to the coordinator breaks; what ran there, the server undoes."""

    code = "coordinator_lost"


class NodeNotAvailable(ShardingError):
    """Raised when one node cannot be reached or does not answer in time."""

    code = "node_not_available"


class QueryFailed(ShardingError):
    """Raised when a server refuses a statement.

    Attributes:
        sqlstate: PostgreSQL's five-character code, empty when there is none.
        hint: what the server suggests, empty when it suggests nothing.
    """

    code = "query_failed"

    def __init__(self, message: str, *, sqlstate: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.hint = hint


class Blocked(ShardingError):
    """Raised when preflight forbids a change. Nothing has been changed."""

    code = "blocked"
    exit_code = 4


class Busy(Blocked):
    """Raised when somebody else is changing the placement of shards."""

    code = "busy"


class NodesDisagree(Blocked):
    """Raised when nobody can say where the shards are. Nothing has been changed, nor forced."""

    code = "nodes_disagree"


class JournalNotWritable(Blocked):
    """Raised when shardctl cannot write down what it does."""

    code = "journal_not_writable"


class MoveFailed(ShardingError):
    """Raised when a move, split or isolation did not succeed. Citus has undone it."""

    code = "move_failed"


class NotProven(ShardingError):
    """Raised when source and target were not the same at a move's switch, or could not be seen."""

    code = "not_proven"


class WaitedTooLong(ShardingError):
    """Raised when the next move waited for the application for longer than it may."""

    code = "waited_too_long"


class Stopped(ShardingError):
    """Raised when a run ends early because `shardctl stop` asked for it."""

    code = "stopped"


class Interrupted(ShardingError):
    """Raised when a run ends early by Ctrl-C, a lost terminal or a signal."""

    code = "interrupted"
    exit_code = 130
