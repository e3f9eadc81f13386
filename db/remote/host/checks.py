"""What must be so before anything is changed; each check that fails says what to do."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from db.placeholders import left_as_they_were
from db.remote.errors import CommandFailed, Refused
from db.remote.host import env_file
from db.remote.host.compose import Compose
from db.remote.host.releases import COMPOSE_FILE
from db.remote.host.rolling import UNTOUCHED
from db.remote.host.shell import Shell
from db.remote.request import Request

FREE = 2 * 1024**3  # bytes that a deployment wants free: an image, unpacked, and the logs
MODE = 0o077  # bits that .env must not have


@contextlib.contextmanager
def lock(root: Path, request: Request) -> Iterator[None]:
    """Be the only one who deploys here.

    The kernel gives the lock back when the holder ends, however that happens. Programs that are
    started meanwhile do not inherit it.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Somebody deploys already: {path.read_text().strip()}.") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{request.by}, {request.tag or 'a rollback'}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def check_env(directory: Path, compose_file: Path, request: Request) -> dict[str, str]:
    """Return the variables of .env, all of which there are."""
    path = directory / ".env"
    if not path.is_file():
        raise Refused(
            f"{path} is missing: `make env` makes one with random secrets; bring it there with"
            " mode 600."
        )
    if path.stat().st_mode & MODE:
        raise Refused(f"{path} can be read by others: chmod 600 {path}")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(directory, os.W_OK):
        raise Refused(f"{directory} and its .env must belong to who deploys.")
    values = env_file.read(path)
    _check_names(path, values, compose_file.read_text())
    if example := left_as_they_were(values):
        raise Refused(f"{path} has values of .env.example: change {', '.join(example)}.")
    if values.get("ENVIRONMENT") == "production" and values.get("SEED") != "off":
        raise Refused(f"{path} lets made-up customers in, with a known password: set SEED=off.")
    env = values.get("DEPLOY_ENV", request.env)
    if env != request.env:
        raise Refused(f"{path} says DEPLOY_ENV={env}, and this is a deployment to {request.env}.")
    return values


def _check_names(path: Path, values: Mapping[str, str], compose_file: str) -> None:
    """Refuse an .env without what the compose file needs, or with what it does not read."""
    if complaint := env_file.check_names(values, env_file.known(compose_file)):
        raise Refused(f"{path}: {complaint}")
    if missing := [name for name in env_file.needed(compose_file) if not values.get(name)]:
        raise Refused(f"{path} lacks what the compose file needs: {', '.join(missing)}.")


def check_disk(shell: Shell, directory: Path) -> None:
    """Refuse when an image would not find room."""
    ask = ["docker", "info", "--format", "{{.DockerRootDir}}"]
    for place in {shell.run(ask, what="docker info").strip(), str(directory)}:
        if os.path.isdir(place) and (free := shutil.disk_usage(place).free) < FREE:
            raise Refused(
                f"{place} has {free // 1024**2:,} MB free, and {FREE // 1024**2:,} are needed:"
                " `docker image prune --all` removes images that nothing uses."
            )


def check_compose(compose: Compose) -> None:
    """Refuse what compose cannot read, and what does not look like the shop."""
    try:
        services = compose.services
    except CommandFailed as error:
        raise Refused(str(error)) from None
    if missing := {"coordinator", "haproxy", "migrate", "app1", "app2"} - set(services):
        raise Refused(f"{COMPOSE_FILE} has no service {', '.join(sorted(missing))}.")


def check_databases(compose: Compose) -> None:
    """Refuse where a shop was deployed whose databases or HAProxy do not run."""
    stopped = [name for name in UNTOUCHED if not compose.is_running(name)]
    if stopped:
        raise Refused(
            f"On this host {', '.join(stopped)} should run and does not, and a deployment does not"
            f" touch it: `cd {compose.directory} && docker compose up --detach --wait` there starts"
            " what was deployed last."
        )


def missing_images(shell: Shell, compose: Compose) -> list[str]:
    """Return the images that the host does not have."""
    told = compose.run("config", "--images", what="Reading the compose file")
    return [image for image in sorted(set(told.split())) if not has_image(shell, image)]


def has_image(shell: Shell, image: str) -> bool:
    """Whether the host has an image."""
    try:
        shell.run(["docker", "image", "inspect", image], what="docker image inspect")
    except CommandFailed:
        return False
    return True


def pull(shell: Shell, images: list[str]) -> None:
    """Get images from their registries; Refused when one cannot be had."""
    for image in images:
        try:
            shell.run(["docker", "pull", "--quiet", image], what=f"docker pull {image}")
        except CommandFailed as error:
            raise Refused(f"{image} cannot be had. {error}") from None
