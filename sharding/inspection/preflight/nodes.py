"""Are all nodes there, of one version, and known to each other?"""

from __future__ import annotations

import re

from sharding.inspection.preflight.building import Check, Findings, error, warning
from sharding.inspection.preflight.facts import Facts, NodeState


def unregistered(facts: Facts) -> Findings:
    """Without its own row the coordinator is unknown to the workers, and holds no reference."""
    if not any(state.node.is_coordinator for state in facts.nodes):
        yield error(
            "coordinator-not-registered",
            "pg_dist_node does not list the coordinator: workers cannot reach it, and no node has"
            " figures here.",
            remedy="SELECT citus_set_coordinator_host('HOST', PORT);",
        )


def unreachable(facts: Facts) -> Findings:
    """A node that does not answer us."""
    for state in facts.nodes:
        if state.silence:
            yield error(
                "node-unreachable",
                state.silence,
                remedy="Start the node, or open the way to it; a node lost for ever:"
                " docs/sharding.md, “A node is lost”.",
                node=state.node.name,
            )


def broken_links(facts: Facts) -> Findings:
    """A node that another node does not reach: a move copies from node to node."""
    silent = {state.node.name for state in facts.nodes if state.silence}
    for link in facts.links:
        if link.works is False and link.target not in silent:
            yield error(
                "link-broken",
                f"{link.source} does not reach {link.target}.",
                remedy="Check pg_hba.conf of the target, pg_dist_authinfo, .pgpass and the"
                " firewall between the two.",
                node=link.source,
            )


def inactive(facts: Facts) -> Findings:
    """A node that was disabled."""
    for state in facts.nodes:
        if not state.node.is_active:
            yield error(
                "node-inactive",
                f"{state.node.name} is disabled.",
                remedy=f"SELECT citus_activate_node({_where(state)});",
                node=state.node.name,
            )


def metadata(facts: Facts) -> Findings:
    """A worker whose copy of the catalogue is missing or behind."""
    for state in facts.workers:
        if state.node.is_active and not (state.node.has_metadata and state.node.metadata_synced):
            yield error(
                "metadata-not-synced",
                f"{state.node.name} has no current copy of the metadata.",
                remedy="When `shardctl verify` finds that all other nodes agree with the"
                " coordinator: SELECT start_metadata_sync_to_all_nodes();",
                node=state.node.name,
            )


def versions(facts: Facts) -> Findings:
    """Nodes of different versions, or a library that does not fit its extension."""
    first = next((state for state in facts.nodes if state.facts), None)
    for state in facts.nodes:
        if state.facts is None or first is None or first.facts is None:
            continue
        name, here, there = state.node.name, state.facts, first.facts
        if not _fits(here.library, here.extension):
            yield error(
                "extension-mismatch",
                f"{name} runs Citus {here.library} with the extension {here.extension}.",
                remedy="ALTER EXTENSION citus UPDATE; on every node, after all are restarted with"
                " the new packages.",
                node=name,
            )
        if here.library != there.library:
            yield error(
                "citus-version-mismatch",
                f"{name} runs Citus {here.library}, {first.node.name} {there.library}.",
                remedy="Bring all nodes to one version before shards move.",
                node=name,
            )
        if _major(here.postgresql) != _major(there.postgresql):
            yield warning(
                "postgresql-version-mismatch",
                f"{name} runs PostgreSQL {_major(here.postgresql)},"
                f" {first.node.name} {_major(there.postgresql)}.",
                remedy="Moves between major versions work; text indexes may sort differently.",
                node=name,
            )


def without_shards(facts: Facts) -> Findings:
    """A worker that takes no shards: forgotten after a drain that was cut off (citus#6681)."""
    takers = [s for s in facts.nodes if s.node.should_have_shards]
    for state in facts.workers:
        if not state.node.should_have_shards:
            yield warning(
                "takes-no-shards",
                f"{state.node.name} is marked to take no shards (shouldhaveshards is false).",
                remedy=f"If that is not meant: SELECT citus_set_node_property({_where(state)},"
                " 'shouldhaveshards', true);",
                node=state.node.name,
            )
    if len(takers) < 2:
        yield warning(
            "nowhere-to-move",
            f"{len(takers)} node{'' if len(takers) == 1 else 's'} may hold shards:"
            " there is nowhere to move them.",
            remedy="Add a node: shardctl add-node HOST:PORT.",
        )


def shards_on_the_coordinator(facts: Facts) -> Findings:
    """A coordinator that takes shards beside workers, mostly by accident."""
    for state in facts.nodes:
        node = state.node
        if node.is_coordinator and node.should_have_shards and facts.workers:
            yield warning(
                "coordinator-takes-shards",
                "The coordinator is marked to take shards beside the workers.",
                remedy=f"If that is not meant: SELECT citus_set_node_property({_where(state)},"
                " 'shouldhaveshards', false);",
                node=node.name,
            )


def superuser(facts: Facts) -> Findings:
    """A role that Citus lets move nothing."""
    for state in facts.nodes:
        if state.node.is_coordinator and state.capacity and not state.capacity.is_superuser:
            yield error(
                "not-superuser",
                "The role of the DSN is no superuser.",
                remedy="Give a superuser in --dsn or SHARDCTL_DSN.",
                node=state.node.name,
            )


def _where(state: NodeState) -> str:
    return f"'{state.node.host}', {state.node.port}"


def _fits(library: str, extension: str | None) -> bool:
    """The extension 13.2-1 belongs to the library 13.2.x."""
    numbers = re.match(r"\d+\.\d+", extension or "")
    return numbers is not None and library.startswith(numbers[0] + ".")


def _major(version: str) -> str:
    return version.partition(".")[0]


CHECKS: tuple[Check, ...] = (
    unregistered,
    unreachable,
    broken_links,
    inactive,
    metadata,
    versions,
    without_shards,
    shards_on_the_coordinator,
    superuser,
)
