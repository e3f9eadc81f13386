"""`python -m db.balancer`: what a deployment tells HAProxy, from a container beside it.

    addresses    who asks most: addresses with their requests in 10 s, and their connections
    show         the servers and the process id, as JSON
    drain NAME   send NAME nothing new, and wait until its requests have ended
    ready NAME   give NAME back, and wait until it gets its full share

Ends with 1 and a sentence when it could not be done.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from db.balancer import draining, runtime

SOCKET = Path("/var/lib/haproxy/haproxy.sock")


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m db.balancer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("show", "addresses", "drain", "ready"))
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--socket", type=Path, default=SOCKET, help=str(SOCKET))
    chosen = parser.parse_args()
    if bool(chosen.name) != (chosen.command in {"drain", "ready"}):
        parser.error("drain and ready need the name of a server, the others take none")
    try:
        print(_run(chosen.command, chosen.socket, chosen.name))
    except runtime.BalancerError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"HAProxy does not answer at {chosen.socket}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(command: str, path: Path, name: str) -> str:
    if command == "show":
        servers = runtime.servers(path).values()
        found = {server.name: {**vars(server), "is_up": server.is_up} for server in servers}
        return json.dumps({"pid": runtime.process_id(path), "servers": found})
    if command == "addresses":
        return runtime.ask(path, "show table addresses")
    if command == "drain":
        if draining.drain(path, name):
            return f"{name} has no requests any more"
        return f"{name} still has requests after {draining.DRAINED_WITHIN:.0f} s"
    draining.give_back(path, name)
    if not draining.wait_until_warm(path, name):
        raise runtime.BalancerError(f"{name} answers, and HAProxy does not send it requests.")
    return f"{name} takes its full share of the requests"


if __name__ == "__main__":
    sys.exit(main())
