"""HAProxy on the host: spoken to over its runtime socket, and reloaded.

The socket lies in a volume, for HAProxy's account alone. So a container of the application's image
that has this volume, no network and that account runs `python -m db.balancer`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from db.remote.errors import CommandFailed, Refused, StepFailed
from db.remote.host.compose import Compose
from db.remote.host.line import Line
from db.remote.host.shell import Shell

SERVICE = "haproxy"
CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"
SOCKETS = "/var/lib/haproxy"
RELOADED_WITHIN = 20.0  # seconds
BARE = ("--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


class Edge:
    """HAProxy, as the release that runs has started it."""

    def __init__(self, shell: Shell, line: Line, compose: Compose) -> None:
        self._shell = shell
        self._line = line
        self._compose = compose
        self._image = ""
        self._user = ""

    def connect(self, images: list[str]) -> None:
        """Find an image that can speak to HAProxy, the proven one first; Refused without one."""
        ask = ("exec", "--no-TTY", SERVICE, "id", "-u")
        self._user = self._compose.run(*ask, what="Asking for HAProxy's account").strip()
        complaint: CommandFailed | None = None
        for self._image in images:
            try:
                self.show()
            except CommandFailed as error:
                complaint = error
            else:
                return
        raise Refused(f"HAProxy cannot be asked. {complaint}")

    def show(self) -> dict[str, Any]:
        """Return HAProxy's process id (`pid`) and its `servers` by name."""
        told: dict[str, Any] = json.loads(self._tell("show"))
        return told

    def up(self) -> list[str]:
        """Return the servers that requests are sent to."""
        servers = self.show()["servers"].items()
        return [name for name, server in servers if server["is_up"]]

    def drain(self, name: str) -> str:
        """Send a server nothing new, and wait until it has no requests; say what came of it."""
        return self._tell("drain", name)

    def give_back(self, name: str) -> str:
        """Let a server take requests, and wait until it gets its full share."""
        return self._tell("ready", name)

    def check(self, new: Compose, files: Path) -> None:
        """Raise Refused when HAProxy finds a mistake in the configuration of a release."""
        told = new.services[SERVICE]
        names = told.get("environment") or {}
        variables = {name: value for name, value in names.items() if value is not None}
        command = ["docker", "run", *BARE, "--network", self._network()]
        for name in variables:
            command += ["--env", name]
        for mount in told.get("volumes", []):
            if mount["type"] == "bind":
                source = _of_release(mount["source"], self._compose.directory, files)
                command += ["--volume", f"{source}:{mount['target']}:ro"]
        command += [told["image"], "haproxy", "-c", "-f", CONFIGURATION]
        try:
            self._shell.run(command, what="haproxy -c", variables=variables)
        except CommandFailed as error:
            raise Refused(f"HAProxy refuses its new configuration. {error}") from None

    def reload(self) -> None:
        """Let a new process take the listening sockets over; the old one ends what it has begun."""
        before = self.show()["pid"]
        what = "Reloading HAProxy"
        self._compose.run("kill", "--signal=USR2", SERVICE, what=what, interruptible=False)
        deadline = time.monotonic() + RELOADED_WITHIN
        while time.monotonic() < deadline:
            try:
                if self.show()["pid"] not in {0, before}:
                    return
            except CommandFailed:
                pass  # in between nobody answers
            self._line.sleep(0.5)
        raise StepFailed("HAProxy did not take its new configuration and goes on with the old one.")

    def _tell(self, *words: str) -> str:
        volume = self._compose.config["volumes"]["haproxy"]["name"]
        command = ["docker", "run", *BARE, "--network=none", f"--user={self._user}"]
        command += [f"--volume={volume}:{SOCKETS}:ro", "--entrypoint=python", self._image]
        told = self._shell.run([*command, "-m", "db.balancer", *words], what=f"HAProxy: {words[0]}")
        return told.strip()

    def _network(self) -> str:
        networks = self._compose.config["networks"]
        return str(next(iter(networks.values()))["name"])


def _of_release(source: str, directory: Path, files: Path) -> Path:
    """Return the release's own copy of what is mounted, if it is of the release."""
    path = Path(source)
    if path.is_relative_to(directory) and (own := files / path.relative_to(directory)).exists():
        return own
    return path
