"""docker compose for one release: its own compose file, in the host's directory."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.remote.errors import CommandFailed, StepFailed, last_lines
from db.remote.host.releases import COMPOSE_FILE, Release
from db.remote.host.shell import Shell

MOST_RESTARTS = 3
DIGEST = "com.docker.compose.config-hash"


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container of a service."""

    id: str
    name: str
    image: str
    digest: str  # of its service's part of the compose file
    state: str
    health: str  # "" without a health check
    restarts: int

    @property
    def complaint(self) -> str:
        """Return why it is not well; "" when it is."""
        if self.state != "running":
            return f"is {self.state}"
        return "" if self.health in {"", "healthy"} else f"is {self.health}"

    @property
    def is_hopeless(self) -> bool:
        """Whether waiting will not help."""
        return self.restarts >= MOST_RESTARTS or self.health == "unhealthy"


class Compose:
    """The services of a release.

    Args:
        files: where the release's compose file lies.
        variables: what wins over the host's .env.
    """

    def __init__(
        self,
        shell: Shell,
        directory: Path,
        files: Path,
        release: Release,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.release = release
        self.directory = directory
        self._shell = shell
        self._files = files
        self._variables = {
            "APP_IMAGE": release.app_image,
            "TAG": release.tag,
            "COMPOSE_IGNORE_ORPHANS": "1",
            **(variables or {}),
        }

    def run(self, *arguments: str, what: str, interruptible: bool = True, config: str = "") -> str:
        """Run `docker compose …`; return what it prints.

        Args:
            config: in the place of the compose file.
        """
        command = ["docker", "compose", "--project-directory", str(self.directory)]
        command += ["--env-file", str(self.directory / ".env")]
        command += ["--file", "-" if config else str(self._files / COMPOSE_FILE), *arguments]
        return self._shell.run(
            command,
            what=what,
            variables=self._variables,
            interruptible=interruptible,
            given=config,
        )

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """Return the compose file with everything filled in: it holds secrets."""
        text = self.run("config", "--format", "json", what="Reading the compose file")
        config: dict[str, Any] = json.loads(text)
        return config

    @property
    def services(self) -> dict[str, Any]:
        """Return the services that run without being asked for."""
        services: dict[str, Any] = self.config["services"]
        return services

    @functools.cached_property
    def digests(self) -> dict[str, set[str]]:
        """Return by service what its containers may be labelled with.

        Some versions count what a service depends on, unless it was started without that.
        """
        alone = json.loads(json.dumps(self.config))
        for service in alone["services"].values():
            service.pop("depends_on", None)
        what, digests = "Reading the compose file", defaultdict[str, set[str]](set)
        for config in ("", json.dumps(alone)):
            for line in self.run("config", "--hash", "*", what=what, config=config).splitlines():
                name, _, digest = line.partition(" ")
                digests[name].add(digest)
        return digests

    def containers(self, service: str) -> list[Container]:
        """Return the containers of a service, those of `run` not among them."""
        labels = {"project": self.config["name"], "service": service, "oneoff": "False"}
        command = ["docker", "ps", "--all", "--quiet", "--no-trunc"]
        for name, value in labels.items():
            command += ["--filter", f"label=com.docker.compose.{name}={value}"]
        found = self._shell.run(command, what="Asking for containers").split()
        if not found:
            return []
        try:
            told = self._shell.run(["docker", "inspect", *found], what="Looking at containers")
        except CommandFailed:  # one has gone in between
            return []
        return [_container(one) for one in json.loads(told)]

    def orphans(self) -> list[str]:
        """Return the containers of services that this release does not have."""
        labels = {"project": self.config["name"], "oneoff": "False"}
        command = ["docker", "ps", "--all", "--format"]
        command.append('{{.Names}} {{.Label "com.docker.compose.service"}}')
        for name, value in labels.items():
            command += ["--filter", f"label=com.docker.compose.{name}={value}"]
        lines = self._shell.run(command, what="Asking for containers").splitlines()
        pairs = [line.split() for line in lines]
        return [name for name, service in pairs if service not in self.services]

    def remove(self, containers: Sequence[str]) -> None:
        """Stop containers as they like it, and remove them."""
        for verb in (["stop", "--time=50"], ["rm"]):
            what = f"docker {verb[0]}"
            self._shell.run(["docker", *verb, *containers], what=what, interruptible=False)

    def is_running(self, service: str) -> bool:
        """Whether a service has containers that run."""
        found = self.containers(service)
        return bool(found) and all(one.state == "running" for one in found)

    def is_current(self, service: str) -> bool:
        """Whether the containers of a service are as this release wants them, and well."""
        found = self.containers(service)
        return bool(found) and all(
            one.digest in self.digests[service] and not one.complaint for one in found
        )

    def differing(self, services: Sequence[str]) -> list[str]:
        """Return those whose containers this release would make anew."""
        return [
            service
            for service in services
            if service in self.services
            and any(one.digest not in self.digests[service] for one in self.containers(service))
        ]

    def recreate(self, *services: str, force: bool = False) -> None:
        """Make the containers of services anew, if they are not as this release wants them.

        Nobody interrupts this: compose would be left between the old and the new one.
        """
        options = ["--detach", "--no-deps", "--no-build", "--quiet-pull"]
        options += ["--force-recreate"] if force else []
        what = f"Starting {', '.join(services)}"
        self.run("up", *options, *services, what=what, interruptible=False)

    def job(self, service: str) -> str:
        """Run a job to its end; return what it prints."""
        options = ["--rm", "--no-deps", "--no-TTY", "--quiet-pull"]
        return self.run("run", *options, service, what=f"The job {service}")

    def check_health(self, service: str) -> str:
        """Return why a service is not healthy yet, "" when it is; StepFailed when it never will."""
        found = self.containers(service)
        if not found:
            return "has no container"
        complaints = [(one, one.complaint) for one in found if one.complaint]
        for one, complaint in complaints:
            if one.is_hopeless:
                raise StepFailed(self.obituary(one, f"{complaint}, started {one.restarts + 1} ×"))
        return "; ".join(f"{one.name} {complaint}" for one, complaint in complaints)

    def obituary(self, container: Container, reason: str) -> str:
        """Return a sentence about a container that does not come up, with the end of its log."""
        command = ["sh", "-c", 'exec docker logs --tail 15 "$1" 2>&1', "sh", container.id]
        log = self._shell.run(command, what="Reading a log")
        return f"{container.name} {reason}. Its log ends with:\n{last_lines(log, 15)}"


def _container(told: dict[str, Any]) -> Container:
    state = told["State"]
    return Container(
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        image=told["Config"]["Image"],
        digest=told["Config"]["Labels"].get(DIGEST, ""),
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "") if state.get("Health") else "",
        restarts=told["RestartCount"],
    )
