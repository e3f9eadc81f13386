"""A host to deploy to: a directory, an engine that only answers, and a front."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from db.remote.errors import Refused
from db.remote.host.line import Line
from db.remote.host.releases import Releases
from db.remote.host.runs import ROOMS, Run
from db.remote.request import Request
from tests.unit.db.remote.engine import Engine, Front

COMPOSE = """\
services:
  app1:
    environment:
      SECRET_KEY: ${SECRET_KEY:?see .env.example}
      ENVIRONMENT: ${ENVIRONMENT:-local}
      SEED: ${SEED:-on}
      THROTTLE_USER:
"""
ENV = "SECRET_KEY=a-long-secret\nTAG=by-hand\n# kept\nNODE_TAG=n1\n"


@dataclass
class Host:
    """What a test deploys to."""

    directory: Path
    engine: Engine
    front: Front
    said: list[str] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)

    def deploy(self, tag: str, *, config: str = "one", **choices: Any) -> int:
        """Deploy a tag with a configuration of HAProxy; return the exit code."""
        incoming = self.directory / "releases" / f"incoming-{next(self.numbers)}"
        for room in ROOMS:
            (incoming / room).mkdir(parents=True)
            (incoming / room / "configuration").write_text(config)
        (incoming / "docker-compose.yml").write_text(COMPOSE)
        return self._run(tag, choices).deploy(incoming)

    def roll_back(self) -> int:
        return self._run("none", {}).roll_back()

    def refused(self, tag: str = "v1", **choices: Any) -> str:
        """Return why a deployment is refused; nothing may have been asked for by then."""
        before = list(self.engine.asked)
        with pytest.raises(Refused) as caught:
            self.deploy(tag, **choices)
        assert self.engine.asked == before
        return str(caught.value)

    @property
    def releases(self) -> Releases:
        return Releases(self.directory)

    @property
    def env(self) -> str:
        return (self.directory / ".env").read_text()

    def mounted(self, room: str = "haproxy") -> str:
        return (self.directory / room / "configuration").read_text()

    def _run(self, tag: str, choices: dict[str, Any]) -> Run:
        choices = {
            "env": "staging",
            "app_image": "shardmart/app",
            "node_image": "",
            "node_tag": "",
            "transfer": "ssh",
            "smoke": "journey",
            "patience": 10.0,
            "by": "sam@desk",
            "commit": "",
            **choices,
        }
        request = Request(run=f"run{next(self.numbers):03}", tag=tag, **choices)
        line = Line(io.StringIO())
        run = Run(request, self.directory, line, self.said.append)
        self.engine.line = line
        run.shell = self.engine  # type: ignore[assignment]
        return run


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An empty host with an .env."""
    path = tmp_path / ".env"
    path.write_text(ENV)
    path.chmod(0o600)
    with Front() as front:
        engine = Engine(front.port, tags={"v1", "v2", "v3", "ill", "bad-migrate", "bad-smoke"})
        yield Host(tmp_path, engine, front)


@pytest.fixture
def serving(host: Host) -> Host:
    """A host that runs v1."""
    assert host.deploy("v1") == 0
    host.engine.asked.clear()
    host.said.clear()
    return host
