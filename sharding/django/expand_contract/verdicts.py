"""What is said of each new migration: refused, allowed for a reason, or nothing to object to.

The reason stands on the migration, as ``allowed = {"<code>": "<reason>"}``. One of another package,
which cannot carry it, is listed in ``settings.SHARDING_ALLOWED_MIGRATIONS``, a dict of such dicts
by ``"<app>.<migration>"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.migrations import Migration

from sharding.django.expand_contract import columns, constraints, locks
from sharding.django.expand_contract.history import Change, Running, World
from sharding.django.expand_contract.objections import COMPATIBILITY, LOCKS, Objection
from sharding.django.expand_contract.releases import ALLOWED, Release


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said of one migration.

    Attributes:
        migration: app and name, as in `orders.0002_note`.
        refused: what is wrong with it.
        allowed: what would be wrong with it, and the reason that it gives.
    """

    migration: str
    refused: tuple[Objection, ...] = ()
    allowed: tuple[tuple[Objection, str], ...] = ()


def judge(release: Release) -> list[Verdict]:
    """Return the verdict on each new migration, or on each that was changed behind the release.

    As long as those are not put right, nothing can be said of what follows them.
    """
    known, new = release.plan()
    changed = [
        _weigh(release.loader.disk_migrations.get(key), ".".join(key), [objection], new=False)
        for key, objection in release.changed
    ]
    if any(verdict.refused for verdict in changed):
        return changed
    world = World.empty(release.loader.unmigrated_apps)
    for migration in known:
        world.replay(migration)
    running = Running.of(release.name, world.models)
    return changed + [
        _weigh(
            migration,
            f"{migration.app_label}.{migration.name}",
            objections(list(world.play(migration, running))),
        )
        for migration in new
    ]


def objections(changes: list[Change]) -> Iterator[Objection]:
    """Yield what is wrong with a migration, given all that it does."""
    for change in changes:
        for objection in _of_one(change):
            yield replace(objection, operation=change.operation.describe())
    yield from locks.held(changes)


def _of_one(change: Change) -> list[Objection]:
    try:
        return [
            objection
            for rules in (columns, constraints, locks)
            for objection in rules.objections(change)
        ]
    except (FieldDoesNotExist, LookupError, ValueError) as error:
        # The models do not fit what SeparateDatabaseAndState has said before.
        message = f"This check cannot follow it: {error}"
        return [Objection(code="unknown-operation", message=message)]


def _weigh(
    migration: Migration | None, name: str, found: Iterable[Objection], *, new: bool = True
) -> Verdict:
    elsewhere = getattr(settings, "SHARDING_ALLOWED_MIGRATIONS", {})
    given = elsewhere.get(name, getattr(migration, ALLOWED, {}))
    reasons, wrong = _reasons(given)
    refused, allowed = [], []
    for objection in found:
        if objection.code in reasons:
            allowed.append((objection, reasons[objection.code]))
        else:
            refused.append(objection)
    used = {objection.code for objection, _ in allowed}
    if new:
        wrong += [f"{code} is allowed, but nothing objects to it." for code in set(reasons) - used]
    refused += [Objection(code="bad-allowance", message=sentence) for sentence in sorted(wrong)]
    return Verdict(migration=name, refused=tuple(refused), allowed=tuple(allowed))


def _reasons(given: object) -> tuple[dict[str, str], list[str]]:
    """Return the reasons that count, by code, and what is wrong with the others."""
    if not isinstance(given, dict):
        return {}, [f"{ALLOWED} is {given!r}, and has to be a dict of codes and reasons."]
    reasons, wrong = {}, []
    for code, reason in given.items():
        if code not in COMPATIBILITY | LOCKS:
            wrong.append(f"{code!r} is the code of no objection.")
        elif not (isinstance(reason, str) and reason.strip()):
            wrong.append(f"{code} is allowed without a reason.")
        else:
            reasons[code] = " ".join(reason.split())
    return reasons, wrong
