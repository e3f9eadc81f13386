"""Restarting the app servers one after the other, while requests come in.

The invariant is that of db/balancer/draining.py. Whatever happens in between, Ctrl-C included, the
server is started and given back to HAProxy, whose own checks decide when it takes requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from db.balancer import draining
from db.balancer.draining import DRAINED_WITHIN
from db.balancer.runtime import BalancerError
from db.local import haproxy, health
from db.local.errors import ProgramFailed, StackError
from db.local.health import Probe
from db.local.layout import Layout
from db.local.supervisor import Supervisor

# Above the stop_seconds of an app server.
STOPPED_WITHIN = 40.0


# What a deployment may not touch: every request needs them.
NEEDED_BY_ALL = ("postgres-", "pgbouncer-", "redis", "haproxy")


def refuse_interruption(changed: Collection[str]) -> None:
    """Raise StackError when a program that all requests need would have to be restarted."""
    needed = sorted(name for name in changed if name.startswith(NEEDED_BY_ALL))
    if needed:
        raise StackError(
            f"The configuration of {', '.join(needed)} has changed too, and their restart would"
            " interrupt requests: `make up` does it. Nothing was restarted."
        )


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """One round of restarts.

    `know` makes supervisord read a program's configuration anew; `say` prints progress.
    """

    supervisor: Supervisor
    layout: Layout
    know: Callable[[str], None]
    say: Callable[[str], None]
    patience: float = 60  # seconds for a program to become healthy

    def app_servers(self, probes: Sequence[Probe]) -> None:
        """Restart these app servers one by one, those that do not serve first."""
        up = {server.name for server in self._servers() if server.is_up}
        for probe in sorted(probes, key=lambda probe: probe.program in up):
            self._app_server(probe)

    def workers(self, probes: Sequence[Probe]) -> None:
        """Restart these workers one by one: what one is at, it ends or the next does again."""
        for probe in probes:
            self._renew(probe.program)
            self._wait_for_health(probe)
            self.say(f"{probe.program} has the new code")

    def _app_server(self, probe: Probe) -> None:
        name = probe.program
        others = [server.name for server in self._servers() if server.is_up and server.name != name]
        self._drain(name)
        try:
            self._renew(name)
            self._wait_for_health(probe)
        except ProgramFailed as error:
            raise StackError(
                f"{error}\n{' and '.join(others) or 'No app server'} goes on with the old code."
                " Mend the new one, then `make deploy-local` again."
            ) from None
        finally:
            self._give_back(name)
        self._wait_until_warm(name)
        self.say(f"{name} has the new code and takes requests")

    def _drain(self, name: str) -> None:
        if not any(server.name == name for server in self._servers()):
            return  # nothing is sent there
        try:
            is_idle = draining.drain(self.layout.haproxy_socket, name)
        except BalancerError as error:
            raise StackError(f"{error} `make status` says what is wrong with the others.") from None
        if not is_idle:
            self.say(f"{name} still has requests after {DRAINED_WITHIN:.0f} s; it may end them")

    def _wait_for_health(self, probe: Probe) -> None:
        health.wait([probe], self.supervisor, self.layout, seconds=self.patience)

    def _renew(self, name: str) -> None:
        self.supervisor.stop_program(name)
        self.know(name)
        self.supervisor.start_program(name)

    def _give_back(self, name: str) -> None:
        # Ctrl-C may have come while the program was being stopped, or was unknown for a moment.
        if name not in self.supervisor.states():
            self.supervisor.add(name)
        haproxy.wait_until(lambda: not self._is_stopping(name), seconds=STOPPED_WITHIN)
        self.supervisor.start_program(name)
        if haproxy.answers(self.layout):
            haproxy.give_back(self.layout, name)

    def _is_stopping(self, name: str) -> bool:
        return self.supervisor.states()[name].state == "STOPPING"

    def _wait_until_warm(self, name: str) -> None:
        """Wait until HAProxy sends the server its full share, so that the next may go."""
        if haproxy.answers(self.layout) and not draining.wait_until_warm(
            self.layout.haproxy_socket, name
        ):
            raise StackError(
                f"{name} answers, and HAProxy does not send it requests:"
                f" {self.layout.log_of('haproxy')} says why. The others serve."
            )

    def _servers(self) -> Sequence[haproxy.Server]:
        try:
            return list(haproxy.servers(self.layout).values())
        except OSError:
            return []  # HAProxy does not run: there is nobody to interrupt
