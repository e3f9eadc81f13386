"""The host's .env: what it must hold, and the lines that a deployment writes into it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from db.placeholders import SECRET

NEEDED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):?\?")
USED = re.compile(r"(?<!\$)\$\{([A-Z_][A-Z0-9_]*)")
PASSED_ON = re.compile(r"^ +([A-Z_][A-Z0-9_]*): *$", re.MULTILINE)
# Of compose itself, of docker, and what a deployment writes down.
TOOLS = re.compile(r"(COMPOSE|DOCKER|BUILDKIT)_|(DEPLOY_ENV|(APP|NODE)_IMAGE|(NODE_)?TAG)$")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read(path: Path) -> dict[str, str]:
    """Return the variables of an .env file."""
    values = {}
    for line in path.read_text().splitlines():
        if found := ASSIGNMENT.fullmatch(line):
            values[found[1]] = _value(found[2].strip())
    return values


def _value(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return re.sub(r"\s+#.*", "", text)


def needed(compose_file: str) -> list[str]:
    """Return the variables that a compose file cannot do without: `${NAME:?…}`."""
    return sorted(set(NEEDED.findall(compose_file)))


def known(compose_file: str) -> set[str]:
    """Return the variables that a compose file reads: `${NAME…}`, and `NAME:` without a value."""
    code = re.sub(r"(^|\s)#.*", "", compose_file)
    return set(USED.findall(code)) | set(PASSED_ON.findall(code))


def check_names(names: Iterable[str], known_names: Iterable[str]) -> str:
    """Return a sentence that names what nobody knows, and what may have been meant; else ""."""
    choices = sorted(known_names)
    found = []
    for name in sorted({name for name in names if not TOOLS.match(name)}.difference(choices)):
        (near,) = difflib.get_close_matches(name, choices, n=1) or [""]
        found.append(f"{name} (is it {near}?)" if near else name)
    return f"nobody reads {', '.join(found)}: see docs/configuration.md." if found else ""


def secrets(values: Mapping[str, str]) -> list[str]:
    """Return the values that nobody may see."""
    return [value for name, value in values.items() if SECRET.search(name)]


def write(path: Path, values: Mapping[str, str]) -> None:
    """Set some variables in the file, which is replaced at once; its other lines stay."""
    left, lines = dict(values), []
    for line in path.read_text().splitlines():
        found = ASSIGNMENT.fullmatch(line)
        if found and found[1] in values:
            if found[1] in left:
                lines.append(f"{found[1]}={left.pop(found[1])}")
        else:
            lines.append(line)
    lines += [f"{name}={value}" for name, value in left.items()]
    replace(path, "\n".join(lines) + "\n")


def replace(path: Path, text: str) -> None:
    """Replace a file in one step, so that nobody ever reads half of it; mode and owner stay."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    mode, owner = 0o600, None
    if path.exists():
        known = path.stat()
        mode, owner = known.st_mode & 0o777, (known.st_uid, known.st_gid)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if owner and owner != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
        os.chown(new, *owner)
    new.rename(path)
