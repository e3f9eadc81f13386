"""The releases that a host keeps: which it runs, which it ran before, and their files.

    /opt/shardmart/.env                  the host's own: secrets, and the tag that runs
    /opt/shardmart/docker-compose.yml    of the release that runs, and so are
    /opt/shardmart/haproxy/, …           the files that containers have mounted
    /opt/shardmart/releases/<id>/        each release's own copy of them
    /opt/shardmart/releases/state.json   what runs

Mounted files are replaced one by one, each in one step, and their directories stay: a container
has the directory mounted, and would go on seeing one that was moved away.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from db.remote.host import env_file

KEPT = 5  # releases
COMPOSE_FILE = "docker-compose.yml"
NOTE = "release.json"


@dataclass(frozen=True, kw_only=True)
class Release:
    """What can be deployed: an image of the application, and the files around it."""

    id: str
    tag: str
    app_image: str
    by: str
    commit: str = ""

    @property
    def image(self) -> str:
        return f"{self.app_image}:{self.tag}"


@dataclass(kw_only=True)
class State:
    """What runs.

    `history` ends with the release that runs, before it the one to go back to. `installed` is
    the release whose files are mounted, `loaded` a digest of HAProxy's files when it read them,
    `under_way` the run that is changing something, or has died over it.
    """

    history: list[str] = field(default_factory=list)
    installed: str = ""
    loaded: str = ""
    under_way: str = ""


class Releases:
    """The releases of a directory on the host."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = directory / "releases"
        path = self.root / "state.json"
        self.state = State(**json.loads(path.read_text())) if path.exists() else State()

    def save(self) -> None:
        """Write the state down."""
        text = json.dumps(dataclasses.asdict(self.state), indent=2) + "\n"
        env_file.replace(self.root / "state.json", text)

    @property
    def current(self) -> Release | None:
        """Return what runs; None on an empty host."""
        return self.load(self.state.history[-1]) if self.state.history else None

    @property
    def previous(self) -> Release | None:
        """Return what ran before."""
        return self.load(self.state.history[-2]) if len(self.state.history) > 1 else None

    def load(self, name: str) -> Release:
        """Return a release by its id."""
        return Release(**json.loads((self.root / name / NOTE).read_text()))

    def files(self, release: Release) -> Path:
        """Return where a release's own copy of its files lies."""
        return self.root / release.id

    def take_in(self, incoming: Path, release: Release) -> None:
        """Keep the files of a new release, which were sent to `incoming`."""
        (incoming / NOTE).write_text(json.dumps(dataclasses.asdict(release), indent=2) + "\n")
        incoming.rename(self.files(release))

    def adopt(self, release: Release, rooms: list[str]) -> None:
        """Keep what was brought here by hand as the release that runs."""
        kept = self.files(release)
        kept.mkdir(parents=True)
        shutil.copy2(self.directory / COMPOSE_FILE, kept)
        for room in rooms:
            shutil.copytree(self.directory / room, kept / room)
        (kept / NOTE).write_text(json.dumps(dataclasses.asdict(release), indent=2) + "\n")
        self.state.history, self.state.installed = [release.id], release.id
        self.state.loaded = self.digest("haproxy")
        self.save()

    def install(self, release: Release) -> list[str]:
        """Replace the mounted files by those of a release; return the paths that changed.

        The compose file is not among them: it follows when the release is the one that runs.
        """
        new, old = self._paths(release.id), self._paths(self.state.installed)
        changed = [path for path in new if self._differs(release, path)]
        for path in changed:
            _copy(self.files(release) / path, self.directory / path)
        gone = [path for path in old if path not in new and (self.directory / path).exists()]
        for path in gone:
            (self.directory / path).unlink()
        self.state.installed = release.id
        self.save()
        return changed + gone

    def _paths(self, name: str) -> list[str]:
        top = self.root / name
        if not name or not top.is_dir():
            return []
        found = (str(path.relative_to(top)) for path in sorted(top.rglob("*")) if path.is_file())
        return [path for path in found if path not in {NOTE, COMPOSE_FILE}]

    def _differs(self, release: Release, path: str) -> bool:
        there = self.directory / path
        return (
            not there.is_file() or there.read_bytes() != (self.files(release) / path).read_bytes()
        )

    def settle(self, release: Release, history: list[str]) -> None:
        """Note that a release is the one that runs: for us, and for `docker compose` by hand."""
        _copy(self.files(release) / COMPOSE_FILE, self.directory / COMPOSE_FILE)
        env_file.write(
            self.directory / ".env", {"APP_IMAGE": release.app_image, "TAG": release.tag}
        )
        self.state.history = history
        self.save()

    def forget_old(self) -> list[str]:
        """Remove all but the newest releases; return the images that only they had."""
        self.state.history = self.state.history[-KEPT:]
        self.save()
        known = sorted(path.parent.name for path in self.root.glob(f"*/{NOTE}"))
        kept = {*self.state.history, *known[-KEPT:]}
        images = {self.load(name).image for name in kept}
        gone = [self.load(name) for name in known if name not in kept]
        for release in gone:
            shutil.rmtree(self.files(release))
        return sorted({release.image for release in gone} - images)

    def digest(self, room: str) -> str:
        """Return a digest of the mounted files of a directory."""
        digest = hashlib.sha256()
        for path in sorted((self.directory / room).rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(self.directory)}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()


def _copy(source: Path, target: Path) -> None:
    """Put a file in its place in one step, readable for the accounts of the containers."""
    for parent in [*reversed(target.parents)]:
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o755)
    new = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, new)
    new.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    new.rename(target)
