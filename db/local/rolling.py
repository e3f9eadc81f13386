"""Restarting the app servers one after the other, while requests come in.

Invariant: HAProxy sends nothing to a server from before it is stopped until after it is healthy
again, and another server is up all that time. Whatever happens in between, Ctrl-C included, the
server is started and given back to HAProxy, whose own checks decide when it takes requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from db.local import haproxy, health
from db.local.errors import ProgramFailed, StackError
from db.local.health import Probe
from db.local.layout import Layout
from db.local.supervisor import Supervisor

# Above HAProxy's `timeout server` (30 s): no request takes longer.
DRAINED_WITHIN = 35.0
# Above the stop_seconds of an app server.
STOPPED_WITHIN = 40.0
# Above slowstart; until then the others carry more than their share.
WARM_WITHIN = 20.0


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
        self._drain(name, others)
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

    def _drain(self, name: str, others: Sequence[str]) -> None:
        server = next((one for one in self._servers() if one.name == name), None)
        if server is None or not server.is_up:
            return  # nothing is sent there
        if not others:
            raise StackError(
                f"{name} is the only app server that answers, and a restart would interrupt"
                " requests: `make status` says what is wrong with the others."
            )
        try:
            haproxy.set_state(self.layout, name, "drain")
            if not haproxy.wait_until(lambda: self._is_idle(name), seconds=DRAINED_WITHIN):
                self.say(f"{name} still has requests after {DRAINED_WITHIN:.0f} s; it may end them")
        except BaseException:
            haproxy.set_state(self.layout, name, "ready")
            raise

    def _wait_for_health(self, probe: Probe) -> None:
        health.wait([probe], self.supervisor, self.layout, seconds=self.patience)

    def _is_idle(self, name: str) -> bool:
        return haproxy.servers(self.layout)[name].sessions == 0

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
            haproxy.set_state(self.layout, name, "ready")

    def _is_stopping(self, name: str) -> bool:
        return self.supervisor.states()[name].state == "STOPPING"

    def _wait_until_warm(self, name: str) -> None:
        """Wait until HAProxy sends the server its full share, so that the next may go."""

        def is_warm() -> bool:
            found = {server.name: server for server in self._servers()}
            most = max((server.weight for server in found.values()), default=0)
            return name not in found or (found[name].is_up and found[name].weight >= most)

        if not haproxy.wait_until(is_warm, seconds=WARM_WITHIN):
            raise StackError(
                f"{name} answers, and HAProxy does not send it requests:"
                f" {self.layout.log_of('haproxy')} says why. The others serve."
            )

    def _servers(self) -> Sequence[haproxy.Server]:
        try:
            return list(haproxy.servers(self.layout).values())
        except OSError:
            return []  # HAProxy does not run: there is nobody to interrupt
