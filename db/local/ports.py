"""Whether the ports of a stack are free."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection

from db.local.environment import HOST
from db.local.errors import PortTaken
from db.local.settings import Settings


def is_free(number: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of an earlier run that linger are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def check(settings: Settings, *, ours: Collection[int]) -> None:
    """Raise PortTaken for the first port that is neither free nor listened on by this stack."""
    for port in settings.ports():
        if port.number not in ours and not is_free(port.number):
            raise PortTaken(port=port.number, variable=port.variable, purpose=port.purpose)
