"""Where a stack's data lies, and what removing it may touch."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from db.local import layout as layouts


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(layouts, "OUTSIDE", tmp_path / "var")
    (tmp_path / "checkout" / ".run").mkdir(parents=True)
    return tmp_path / "checkout"


def test_a_stack_behind_a_link_is_removed_with_the_link(checkout: Path) -> None:
    target = layouts.outside(checkout) / "local"
    target.mkdir(parents=True)
    (checkout / ".run/local").symlink_to(target)
    layouts.remove(layouts.find("local", checkout=checkout))
    assert not layouts.OUTSIDE.exists()
    assert not os.path.lexists(checkout / ".run/local")


def test_a_link_to_somewhere_else_loses_only_the_link(checkout: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").write_text("dear")
    (checkout / ".run/local").symlink_to(precious)
    layouts.remove(layouts.find("local", checkout=checkout))
    assert (precious / "letter").read_text() == "dear"
    assert not os.path.lexists(checkout / ".run/local")


def test_removing_one_stack_leaves_the_others(checkout: Path) -> None:
    for name in ("local", "test"):
        (checkout / ".run" / name).mkdir()
    layouts.remove(layouts.find("local", checkout=checkout))
    assert layouts.stacks(checkout=checkout) == ["test"]


def test_two_checkouts_of_one_name_do_not_share_a_place_outside(tmp_path: Path) -> None:
    assert layouts.outside(tmp_path / "a/shop") != layouts.outside(tmp_path / "b/shop")


def test_locks_are_not_taken_for_stacks(checkout: Path) -> None:
    (checkout / ".run/.local.lock").touch()
    assert layouts.stacks(checkout=checkout) == []


def test_what_postgresql_logs_is_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as short:  # for its sockets
        monkeypatch.setattr(layouts, "OUTSIDE", Path(short, "var"))
        layout, _ = layouts.prepare("local", checkout=Path(short))
        assert layout.log.stat().st_mode & 0o777 == 0o700
