"""Which servers are installed here, and whether PostgreSQL has the Citus extension."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.local.errors import InvalidVariable, StackError

# Debian keeps servers in sbin, which is not on every user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])

MONITORING = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
)


@dataclass(frozen=True, kw_only=True)
class PostgreSQL:
    """One installed major version."""

    major: str
    bindir: Path
    has_citus: bool


def find(program: str) -> str:
    """Return the path of a program; StackError when it is not installed."""
    path = shutil.which(program, path=SEARCH_PATH)
    if path is None:
        raise StackError(f"{program} is not installed: `make install` installs what is missing.")
    return path


def has_monitoring(wish: str) -> bool:
    """Whether a stack gets monitoring: on, off, or auto (when its programs are installed).

    Raises:
        StackError: it is wanted, and a program is missing.
    """
    if wish == "on":
        for program in MONITORING:
            find(program)
    return wish != "off" and all(shutil.which(name, path=SEARCH_PATH) for name in MONITORING)


def installed() -> list[PostgreSQL]:
    """Return the installed versions, oldest first."""
    return sorted(_scan(), key=lambda found: int(found.major))


def has_citus() -> bool:
    """Whether some installed version has the Citus extension."""
    return any(version.has_citus for version in installed())


def choose(
    versions: list[PostgreSQL], *, citus: str, data_major: str | None
) -> tuple[PostgreSQL, bool]:
    """Return the version to run and whether with Citus.

    `citus` is on, off or auto (when installed). Data that exists decides the version; otherwise
    the newest one with Citus, otherwise the newest.
    """
    if citus not in {"auto", "on", "off"}:
        raise InvalidVariable(f"CITUS={citus} is unknown: choose on, off or auto.")
    usable = [v for v in versions if data_major in {None, v.major}]
    if not usable:
        wanted = f"PostgreSQL {data_major}, which made the data," if data_major else "PostgreSQL"
        raise StackError(f"{wanted} is not installed: `make install` installs what is missing.")
    with_citus = [v for v in usable if v.has_citus]
    if citus == "on" and not with_citus:
        raise StackError(
            "CITUS=on, but the Citus extension is not installed for PostgreSQL"
            f" {', '.join(v.major for v in usable)}."
        )
    if citus == "off" or not with_citus:
        return usable[-1], False
    return with_citus[-1], True


def knows_setting(bindir: Path, name: str) -> bool:
    """Whether this PostgreSQL has a setting; an unknown one would keep it from starting."""
    answer = subprocess.run(
        [bindir / "postgres", "--describe-config"], capture_output=True, text=True, check=False
    )
    return any(line.startswith(f"{name}\t") for line in answer.stdout.splitlines())


def _scan() -> Iterator[PostgreSQL]:
    seen: set[Path] = set()
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    elsewhere = [shutil.which(name, path=SEARCH_PATH) for name in ("postgres", "pg_config")]
    for bindir in [*debian, *(Path(path).resolve().parent for path in elsewhere if path)]:
        if bindir in seen or not (bindir / "postgres").exists():
            continue
        seen.add(bindir)
        major = _major(bindir)
        if major and (bindir / "initdb").exists():
            control = _sharedir(bindir, major) / "extension" / "citus.control"
            yield PostgreSQL(major=major, bindir=bindir, has_citus=control.exists())


def _major(bindir: Path) -> str | None:
    answer = subprocess.run(
        [str(bindir / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    found = re.search(r"\) (\d+)", answer.stdout)
    return found[1] if found else None


def _sharedir(bindir: Path, major: str) -> Path:
    if (bindir / "pg_config").exists():
        command = [str(bindir / "pg_config"), "--sharedir"]
        return Path(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        )
    return Path("/usr/share/postgresql") / major
