"""What the operator chooses, from the environment; what cannot be used is refused at once."""

from __future__ import annotations

import getpass
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from db.remote.errors import Refused

COMMANDS = ("deploy", "rollback", "check", "status")
ENV = re.compile(r"[a-z][a-z0-9-]{0,30}")
HOST = re.compile(r"(ssh://)?([A-Za-z0-9_.][A-Za-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9_.:-]*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
IMAGE = re.compile(r"[a-z0-9][a-z0-9._:-]*(/[a-z0-9][a-z0-9._-]*)*")
DIRECTORY = re.compile(r"/[A-Za-z0-9_./-]*[A-Za-z0-9_-]")
TRANSFERS = ("registry", "ssh")
SMOKES = ("journey", "reading", "none")
PATIENCE = (10, 3600)  # seconds


@dataclass(frozen=True, kw_only=True)
class Options:
    """Checked choices; docs/deployment.md has their meaning."""

    env: str
    host: str
    tag: str
    app_image: str
    node_image: str
    node_tag: str
    transfer: str
    directory: str
    ssh_options: tuple[str, ...]
    smoke: str
    patience: int

    @property
    def image(self) -> str:
        return f"{self.app_image}:{self.tag}"


def choose(environ: Mapping[str, str], *, commit: Callable[[], str]) -> Options:
    """Return checked choices; Refused names the variable that cannot be used.

    Args:
        commit: tells the commit of the checkout, which is the tag when none is given.
    """

    def get(name: str, default: str = "") -> str:
        return environ.get(name) or default

    env = _matching("ENV", get("ENV"), ENV, "staging or production, say")
    app_image = _matching("APP_IMAGE", get("APP_IMAGE", "shardmart/app"), IMAGE, "name without tag")
    tag = _matching("TAG", get("TAG") or commit(), TAG, "the tag of an image")
    return Options(
        env=env,
        host=_matching("HOST", get("HOST"), HOST, "user@host or ssh://user@host:port"),
        tag=tag,
        app_image=app_image,
        node_image=_matching(
            "NODE_IMAGE", get("NODE_IMAGE"), IMAGE, "name without tag", empty=True
        ),
        node_tag=_matching("NODE_TAG", get("NODE_TAG"), TAG, "the tag of an image", empty=True),
        transfer=_one_of("TRANSFER", get("TRANSFER", _transfer(app_image)), TRANSFERS),
        directory=_matching(
            "DIRECTORY", get("DIRECTORY", "/opt/shardmart"), DIRECTORY, "a path from / on the host"
        ),
        ssh_options=_words("SSH_OPTIONS", get("SSH_OPTIONS")),
        smoke=_one_of("SMOKE", get("SMOKE", _smoke(env)), SMOKES),
        patience=_seconds("PATIENCE", get("PATIENCE", "120")),
    )


def _transfer(image: str) -> str:
    """An image with a registry in its name is pulled from there."""
    first, _, rest = image.partition("/")
    return "registry" if rest and re.search(r"[.:]|^localhost$", first) else "ssh"


def _smoke(env: str) -> str:
    """The journey buys something, which is left to the operator where money is real."""
    return "reading" if env == "production" else "journey"


def _matching(
    name: str, value: str, pattern: re.Pattern[str], what: str, *, empty: bool = False
) -> str:
    if not value:
        if empty:
            return ""
        raise Refused(f"{name} is missing: {what}.")
    if not pattern.fullmatch(value) or ".." in value.split("/"):
        raise Refused(f"{name}={value} cannot be used: {what}.")
    return value


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Refused(f"{name}={value} is unknown: choose {', '.join(choices)}.")
    return value


def _words(name: str, value: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise Refused(f"{name} cannot be read: {error}.") from None


def _seconds(name: str, value: str) -> int:
    lowest, highest = PATIENCE
    if not value.isdecimal() or not lowest <= int(value) <= highest:
        raise Refused(f"{name}={value}: choose seconds from {lowest} to {highest}.")
    return int(value)


def operator() -> str:
    """Return who runs this, for the lock and the log."""
    return f"{os.environ.get('GITHUB_ACTOR') or getpass.getuser()}@{os.uname().nodename}"
