"""The rooms are furnished alike, and no file is empty or too long."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 500
FILES = sorted(path for room in ("src", "sharding", "db") for path in (ROOT / room).rglob("*.py"))
MODULES = [path for path in FILES if "migrations" not in path.parts]
ROOMS = sorted(path.parent for path in (ROOT / "src" / "shop").glob("*/apps.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 100
    assert len(ROOMS) > 5


def test_no_file_is_longer_than_it_should_be() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_file_is_empty_but_those_that_make_a_package() -> None:
    empty = [named(path) for path in FILES if not path.read_text().strip()]
    assert [name for name in empty if not name.endswith("__init__.py")] == []


def test_no_package_holds_nothing() -> None:
    packages = {path.parent for path in FILES if path.name == "__init__.py"}
    furnished = {
        parent
        for path in FILES
        if path.read_text().strip()
        for parent in path.parents
        if parent in packages
    }
    assert sorted(named(package) for package in packages - furnished) == []


def _has_promise(path: Path) -> bool:
    return bool(ast.get_docstring(ast.parse(path.read_text())))


# Where the one thing in the file says it, or there is nothing to say.
WITHOUT_PROMISE = {"apps.py", "urls.py", "__init__.py"}


def test_every_module_begins_with_its_promise() -> None:
    silent = [named(path) for path in MODULES if path.name not in WITHOUT_PROMISE]
    assert [name for name in silent if not _has_promise(ROOT / name)] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_is_installed_and_says_what_it_is_for(room: Path) -> None:
    config = apps.get_app_config(room.name)
    assert config.name == f"shop.{room.name}"
    assert type(config).__doc__


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_has_its_tables_migrated(room: Path) -> None:
    has_models = (room / "models.py").exists()
    assert has_models == bool(list(apps.get_app_config(room.name).get_models()))
    assert has_models == bool(list(room.glob("migrations/0*.py")))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_an_api_has_its_urls_and_they_are_reached(room: Path) -> None:
    from shop.config import urls

    has_api = (room / "api").exists()
    assert has_api == (room / "api" / "urls.py").exists()
    assert has_api == (f"shop.{room.name}.api.urls" in _included(urls.urlpatterns))


def _included(patterns: list[Any]) -> set[str]:
    found = set()
    for pattern in patterns:
        module = getattr(pattern, "urlconf_name", None)
        found.add(getattr(module, "__name__", ""))
        found |= _included(getattr(pattern, "url_patterns", []))
    return found


def test_every_local_model_of_the_settings_is_still_needed(settings: Any) -> None:
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    for label, reason in settings.SHARDING_LOCAL_MODELS.items():
        assert label in known
        assert not hasattr(apps.get_model(*label.split(".", 1)), "placement")
        assert reason


def test_nothing_that_waits_for_the_user_asks_every_shard() -> None:
    """cross_shard() is for commands, metrics and staff: no view and no service says it."""
    views = [path for path in MODULES if "api" in path.parts]
    assert [named(path) for path in views if "cross_shard" in path.read_text()] == []
