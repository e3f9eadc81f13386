"""Every package is there for a reason, and locked with hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted((ROOT / "requirements").glob("*.in"))
NAMED = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[[a-z,-]+\])?(?P<version>[<>=!~0-9.,]*) +# \S.*"
)
LOCKED = re.compile(r"(?m)^(?P<name>[a-z0-9.-]+)==\S+ \\\n((?:    .*\n)+)")

# What the shop is built of, by name (the card), and where it is asked for.
CARD = {
    "base": "django djangorestframework psycopg2-binary django-redis celery "
    "djangorestframework-simplejwt django-prometheus python-json-logger",
    "prod": "gunicorn",
    "test": "pytest-django",
    "load": "locust",
}

each = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def asked(source: Path) -> list[str]:
    """Return the names of a .in file; fails for a line that gives no reason."""
    names = []
    for line in source.read_text().splitlines():
        if line.startswith(("#", "-r ")) or not line:
            continue
        found = NAMED.fullmatch(line)
        assert found, f"{source.name}: no reason, or no single package: {line}"
        names.append(found["name"])
    return names


def locked(source: Path) -> dict[str, str]:
    """Return what stands below each pinned package: its hashes, and who wants it."""
    text = source.with_suffix(".txt").read_text()
    return {found["name"]: found[2] for found in LOCKED.finditer(text)}


@each
def test_each_package_is_asked_for_once_with_a_reason_and_in_order(source: Path) -> None:
    names = asked(source)
    assert len(names) == len(set(names))
    assert names == sorted(names)


@each
def test_what_is_asked_for_is_locked_with_hashes(source: Path) -> None:
    pinned = locked(source)
    for name in asked(source):
        assert name in pinned, f"{name} of {source.name} is not locked: make lock"
        assert f"requirements/{source.name}" in pinned[name]
    assert all("--hash=sha256:" in below for below in pinned.values())


def test_files_that_share_a_package_lock_the_same_version() -> None:
    versions: dict[str, set[str]] = {}
    for source in SOURCES:
        text = source.with_suffix(".txt").read_text()
        for name, version in re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", text):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("file", CARD)
def test_what_the_shop_is_built_of_is_there(file: str) -> None:
    assert set(CARD[file].split()) <= set(asked(ROOT / f"requirements/{file}.in"))
