"""Which migrations the release that runs has, and which are new."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from sharding.django.expand_contract.git import Checkout
from sharding.django.expand_contract.objections import Objection

Key = tuple[str, str]  # app and migration
ALLOWED = "allowed"
# What may change in a released migration: the check's own, and the end of a squash.
IGNORED = {ALLOWED, "replaces"}


@dataclass(frozen=True, kw_only=True)
class Release:
    """The release that runs, as far as its migrations tell.

    Attributes:
        name: how the operator calls it.
        loader: the migrations on disk.
        known: those of them that the release has; migrations of installed packages are among them
            if git was asked, which knows nothing of packages.
        changed: what is wrong with those that it had and that are different now.
    """

    name: str
    loader: MigrationLoader
    known: frozenset[Key]
    changed: tuple[tuple[Key, Objection], ...] = ()

    def plan(self) -> tuple[list[Migration], list[Migration]]:
        """Return the known and the new migrations, each in the order in which they run."""
        graph = self.loader.graph
        keys: dict[Key, None] = {}
        for leaf in sorted(graph.leaf_nodes()):
            keys.update(dict.fromkeys(graph.forwards_plan(leaf)))
        return (
            [graph.nodes[key] for key in keys if key in self.known],
            [graph.nodes[key] for key in keys if key not in self.known],
        )


def applied(connection: BaseDatabaseWrapper) -> Release:
    """Return the release that has migrated a database."""
    loader = MigrationLoader(connection)
    known = frozenset(loader.applied_migrations)
    return Release(name="the running release", loader=loader, known=known)


def at(checkout: Checkout, ref: str) -> Release:
    """Return the release that a tag, branch or commit names.

    Raises:
        InvalidInput: git knows no such commit.
    """
    commit = checkout.commit(ref)
    loader = MigrationLoader(None)
    files = {
        path: key for key in loader.disk_migrations if (path := _path(loader, key, checkout.top))
    }
    ours = checkout.files() & set(files)
    then = checkout.files_at(commit)
    past = _Past(checkout, commit, then)
    known = set(loader.disk_migrations) - {files[path] for path in ours - then}
    changed = [*past.edited({path: files[path] for path in ours & then})]
    for key in sorted({files[path] for path in ours} - known):
        replaced = set(loader.disk_migrations[key].replaces)
        released = {each for each in replaced if past.has(loader, key, each)}
        if released and released == replaced:
            known.add(key)
        elif released:
            names = ", ".join(name for _, name in sorted(replaced - released))
            message = f"{ref} has a part of what it replaces, but not {names}."
            changed.append((key, Objection(code="unreleased-squash", message=message)))
    changed += past.removed(files, loader.disk_migrations)
    return Release(name=ref, loader=loader, known=frozenset(known), changed=tuple(changed))


@dataclass(frozen=True)
class _Past:
    """The migrations' files at a commit."""

    checkout: Checkout
    commit: str
    files: frozenset[str]

    def has(self, loader: MigrationLoader, squash: Key, replaced: Key) -> bool:
        """Tell whether a migration that a squash replaces was there."""
        path = _path(loader, replaced, self.checkout.top)
        if path is None:
            beside = Path(_path(loader, squash, self.checkout.top) or "")
            path = str(beside.with_name(f"{replaced[1]}.py"))
        return path in self.files

    def edited(self, present: Mapping[str, Key]) -> Iterator[tuple[Key, Objection]]:
        """Yield the migrations that say something else now."""
        for path, key in sorted(present.items()):
            now = (self.checkout.top / path).read_text(encoding="utf-8")
            if _meaning(now) != _meaning(self._text(path)):
                message = f"{path} says something else than at {self.commit[:12]}."
                yield key, Objection(code="edited-migration", message=message)

    def removed(
        self, present: Mapping[str, Key], migrations: Mapping[Key, Migration]
    ) -> Iterator[tuple[Key, Objection]]:
        """Yield the migrations that are there no more, unless a squash stands for them."""
        apps = {str(Path(path).parent): app for path, (app, _) in present.items()}
        gone = {
            (apps[str(Path(path).parent)], Path(path).stem): path
            for path in self.files - set(present)
            if str(Path(path).parent) in apps and _is_migration(path)
        }
        squashed = {key for each in migrations.values() for key in each.replaces}
        if gone:
            squashed |= {key for path in self.files & set(present) for key in self._replaced(path)}
        for key, path in sorted(gone.items()):
            if key not in squashed:
                message = f"{path} is there at {self.commit[:12]}, and is no more."
                yield key, Objection(code="removed-migration", message=message)

    def _replaced(self, path: str) -> Iterator[Key]:
        """Yield what a squashed migration replaced when it still said so."""
        for node in ast.walk(ast.parse(self._text(path))):
            if isinstance(node, ast.Assign) and _names(node) == ["replaces"]:
                yield from (tuple(pair) for pair in ast.literal_eval(node.value))

    def _text(self, path: str) -> str:
        return self.checkout.text_at(self.commit, path)


def _path(loader: MigrationLoader, key: Key, top: Path) -> str | None:
    """Return a migration's file below the top of a checkout; None if it lies elsewhere."""
    migration = loader.disk_migrations.get(key)
    if migration is None:
        return None
    file = Path(sys.modules[migration.__module__].__file__ or "").resolve()
    return file.relative_to(top).as_posix() if file.is_relative_to(top) else None


def _is_migration(path: str) -> bool:
    name = Path(path).name
    return name.endswith(".py") and name[0] not in "_~"


def _meaning(source: str) -> str:
    """Return what a module does: without comments, layout, and what databases do not see."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = [part for part in node.body if not IGNORED & set(_names(part))]
    return ast.dump(tree)


def _names(node: ast.AST) -> list[str]:
    targets: Iterable[ast.expr] = ()
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]
