"""Taking an app server out of HAProxy, and giving it back.

Invariant: nothing is sent to a server from before it is stopped until after it is healthy again,
and another server is up all that time. Whoever takes one out gives it back, whatever happens.

The last one that is left is not judged meanwhile: carrying everything, or on a busy machine, it may
be too slow for its health checks, and a late answer is better than none (503) for all.
"""

from __future__ import annotations

from pathlib import Path

from db.balancer.runtime import BalancerError, servers, set_checks, set_state, wait_until

# Above HAProxy's `timeout server` (30 s): no request takes longer.
DRAINED_WITHIN = 35.0
# For HAProxy to see that a healthy server is one.
UP_WITHIN = 5.0
# Above slowstart; until then the others carry more than their share.
WARM_WITHIN = 20.0


def drain(path: Path, name: str, *, within: float = DRAINED_WITHIN) -> bool:
    """Let a server end its requests and send it no new ones; tell whether it ended them in time.

    BalancerError, with everything as it was, when no other server is up.
    """
    found = servers(path)
    if name not in found:
        raise BalancerError(f"HAProxy knows no server {name}, only {', '.join(sorted(found))}.")
    if found[name].is_up and not others_up(path, name):
        raise BalancerError(
            f"{name} is the only app server that answers, and a restart would interrupt requests."
        )
    try:
        if len(others := others_up(path, name)) == 1:
            set_checks(path, others[0], "disable")
        set_state(path, name, "drain")
        return wait_until(lambda: servers(path)[name].sessions == 0, seconds=within)
    except BaseException:
        give_back(path, name)
        raise


def give_back(path: Path, name: str, *, within: float = UP_WITHIN) -> None:
    """Let a server take requests again, and judge all of them again once it does."""
    set_state(path, name, "ready")
    try:
        wait_until(lambda: servers(path)[name].is_up, seconds=within)
    finally:
        for server in servers(path):
            set_checks(path, server, "enable")


def others_up(path: Path, name: str) -> list[str]:
    """Return the servers that take requests, beside this one."""
    return [one.name for one in servers(path).values() if one.is_up and one.name != name]


def wait_until_warm(path: Path, name: str, *, within: float = WARM_WITHIN) -> bool:
    """Wait until a server gets its full share, so that the next may go; tell whether it does."""

    def is_warm() -> bool:
        found = servers(path)
        most = max((server.weight for server in found.values()), default=0)
        return name not in found or (found[name].is_up and found[name].weight >= most)

    return wait_until(is_warm, seconds=within)
