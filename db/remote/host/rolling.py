"""The services of a release brought up one after the other, while requests come in.

Invariant: HAProxy sends nothing to an app server from before it is stopped until after it is
healthy again, and another one is up all that time. Databases, Redis and HAProxy are never made
anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from db.remote.errors import StepFailed
from db.remote.host.compose import Compose
from db.remote.host.edge import Edge
from db.remote.host.line import Line

APP_SERVERS = ("app1", "app2")
# What every request needs, and where there is one of it.
UNTOUCHED = ("coordinator", "worker", "redis", "haproxy")
# What app servers ask, and how a stop of it interrupts nobody for long: up before they are.
ASKED = ("redis-state",)
# The job that writes what Prometheus and its like read, and makes them read it.
MONITORING = "monitoring"
# Which of them is first does not matter to the shop; this is the order of need.
WORKERS = (
    "tasks-critical",
    "tasks",
    "tasks-mail",
    "tasks-webhooks",
    "tasks-maintenance",
    "beat",
    "membership",
)


class Rolling:
    """One round of restarts.

    Args:
        patience: seconds for a container to become healthy.
        lenient: whether only the app servers have to.
    """

    def __init__(
        self,
        compose: Compose,
        edge: Edge,
        line: Line,
        say: Callable[[str], None],
        patience: float,
        *,
        lenient: bool,
    ) -> None:
        self._compose = compose
        self._edge = edge
        self._line = line
        self._say = say
        self._patience = patience
        self._lenient = lenient

    def asked(self) -> None:
        """Bring up what the app servers of this release ask and those before may not have known."""
        for name in ASKED:
            if name in self._compose.services and not self._compose.is_current(name):
                self._compose.recreate(name)
                self._wait(name)
                self._say(f"{name} runs as {self._compose.release.tag} wants it")

    def app_servers(self) -> None:
        """Bring the app servers up one by one, those that do not serve first."""
        up = self._edge.up()
        for name in sorted(APP_SERVERS, key=lambda name: name in up):
            self._app_server(name)

    def _app_server(self, name: str) -> None:
        tag = self._compose.release.tag
        if self._compose.is_current(name):
            self._edge.give_back(name)
            self._say(f"{name} runs {tag} already")
            return
        self._say(self._edge.drain(name))
        self._compose.recreate(name, force=True)
        self._wait(name)
        self._say(f"{name} is healthy with {tag}")
        self._say(self._edge.give_back(name))

    def workers(self) -> None:
        """Bring up what else runs the application: what one is at, it ends or the next does."""
        for name in self._of_the_application():
            if not self._compose.is_current(name):
                self._compose.recreate(name, force=True)
                self._see_well(name)
                self._say(f"{name} runs {self._compose.release.tag}")

    def others(self, changed: Sequence[str]) -> None:
        """Bring up the rest, and anew what has a changed file mounted."""
        if MONITORING in self._compose.services:
            self._try(lambda: self._compose.job(MONITORING))
        ours = {*APP_SERVERS, *UNTOUCHED, *self._of_the_application()}
        rest = [name for name, told in self._compose.services.items() if not _is_job(told)]
        names = [name for name in rest if name not in ours]
        stale = [name for name in names if self._mounts(name, changed)]
        fresh = [n for n in names if n not in stale and not self._compose.is_current(n)]
        for group, force in ((stale, True), (fresh, False)):
            if group:
                self._compose.recreate(*group, force=force)
                for name in group:
                    self._see_well(name)
                self._say(f"Renewed: {', '.join(group)}")
        if orphans := self._compose.orphans():
            self._compose.remove(orphans)
            self._say(f"No longer needed, and removed: {', '.join(orphans)}")

    def _of_the_application(self) -> list[str]:
        image = self._compose.release.image
        names = [
            name
            for name, told in self._compose.services.items()
            if told.get("image") == image and not _is_job(told) and name not in APP_SERVERS
        ]
        return sorted(names, key=lambda name: (*WORKERS, name).index(name))

    def _mounts(self, name: str, changed: Sequence[str]) -> bool:
        mounts = self._compose.services[name].get("volumes", [])
        sources = [Path(mount["source"]) for mount in mounts if mount["type"] == "bind"]
        paths = [self._compose.directory / path for path in changed]
        return any(path.is_relative_to(source) for path in paths for source in sources)

    def _see_well(self, name: str) -> None:
        self._try(lambda: self._wait(name))

    def _try(self, step: Callable[[], object]) -> None:
        """Do what no request needs; `lenient`, go on without it and say so."""
        try:
            step()
        except StepFailed as error:
            if not self._lenient:
                raise
            self._say(f"The shop serves without this: {error}")

    def _wait(self, name: str) -> None:
        deadline = time.monotonic() + self._patience
        while reason := self._compose.check_health(name):
            if time.monotonic() > deadline:
                break
            self._line.sleep(0.5)
        else:
            return
        found = self._compose.containers(name)
        late = f"{reason} after {self._patience:.0f} s"
        raise StepFailed(self._compose.obituary(found[0], late) if found else f"{name} {late}")


def _is_job(service: dict[str, Any]) -> bool:
    return service.get("restart") == "no"
