"""Which nodes run: the engine's name service knows every container of a service."""

from __future__ import annotations

import re
import socket

from db.cluster.servers import Server

PORT = 5432


def coordinator(service: str) -> Server:
    """Return the coordinator, which is called as its service is."""
    return Server(service, PORT)


def workers(service: str) -> dict[Server, str]:
    """Return the address of each running container of a service, in the order of their numbers.

    They are called by the names that stay theirs, e.g. …-worker-2: an address changes when a
    container is made anew, so pg_dist_node must never hold one. A container whose name is not
    known yet is left out, until the next look.
    """
    try:
        found = socket.getaddrinfo(service, PORT, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return {}  # none runs
    addresses = [str(where[0]) for *_, where in found]
    named = {Server(name, PORT): one for one in addresses if (name := _name_of(one))}
    return dict(sorted(named.items(), key=lambda item: _by_number(item[0])))


def _name_of(address: str) -> str:
    try:
        name = socket.gethostbyaddr(address)[0]
    except OSError:
        return ""
    return name.partition(".")[0]  # "shardmart-worker-2.shardmart_cluster" holds the network's


def _by_number(server: Server) -> tuple[int, str]:
    number = re.search(r"(\d+)$", server.host)
    return (int(number[1]) if number else 0, server.host)
