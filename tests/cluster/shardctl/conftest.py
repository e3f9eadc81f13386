"""shardctl against throwaway clusters: none of these tests needs the stack or Django's database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sharding.cli.main import main
from sharding.cluster import Cluster
from tests import throwaway
from tests.native import native
from tests.throwaway import Throwaway


@pytest.fixture(autouse=True, scope="session")
@native("starts a Citus cluster of its own")
def _citus() -> None:
    """Stands in for the fixture of the same name that prepares Django's test database."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one run of shardctl brought."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def error(self) -> Any:
        return self.json["error"]


Shardctl = Callable[..., Answer]


@pytest.fixture
def shardctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shardctl:
    """Run shardctl in this process, e.g. `shardctl("status", dsn=made.dsn, format="json")`."""
    for name in ("SHARDCTL_DSN", "SHARDCTL_TEXT_PREFIXES", "PROMETHEUS_URL"):
        monkeypatch.delenv(name, raising=False)
    # Unset, it would be the file of a stack that `make up` started in this checkout.
    monkeypatch.setenv("SHARDMART_ENV_FILE", os.devnull)
    monkeypatch.setenv("COLUMNS", "100")
    # `shardctl lint --settings` names another one, in this process: it is put back.
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", os.environ["DJANGO_SETTINGS_MODULE"])

    def run(*arguments: str, dsn: str | None = None, format: str | None = None) -> Answer:  # noqa: A002
        options = ["--dsn", dsn] if dsn else []
        options += ["--format", format] if format else []
        capsys.readouterr()
        code = main([*options, *arguments])
        out, err = capsys.readouterr()
        return Answer(code=code, out=out, err=err)

    return run


@pytest.fixture(scope="session")
def citus() -> Iterator[Throwaway]:
    """A healthy cluster with rows, for tests that change nothing."""
    with throwaway.cluster() as made:
        yield made


@pytest.fixture
def cluster(citus: Throwaway) -> Iterator[Cluster]:
    """A connection to the healthy cluster."""
    with Cluster.connect(citus.dsn) as connected:
        yield connected
