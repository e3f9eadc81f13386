"""The migration operations on a live database, with Citus and without."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

from sharding.django.operations import CompositeForeignKey, Distribute, Reference
from sharding.ids import new_id
from tests.conftest import has_citus

pytestmark = pytest.mark.django_db

PLACED = "SELECT partmethod, colocationid FROM pg_dist_partition WHERE logicalrelid = %s::regclass"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
# Those of the shards beside them carry the shard's number.
CONSTRAINTS = """
SELECT conname, conrelid::regclass::text FROM pg_constraint
WHERE conrelid::regclass::text !~ '_[0-9]+$' ORDER BY 1, 2
"""


def _fields(**more: models.Field) -> list[tuple[str, models.Field]]:
    return [
        ("pk", models.CompositePrimaryKey("user_id", "id")),
        ("user_id", models.UUIDField()),
        ("id", models.UUIDField()),
        *more.items(),
    ]


PARENT = migrations.CreateModel("Parent", _fields())
CHILD = migrations.CreateModel("Child", _fields(parent_id=models.UUIDField()))
COPY = migrations.CreateModel("Copied", [("id", models.BigIntegerField(primary_key=True))])
KEY = CompositeForeignKey(
    "Child",
    columns=("user_id", "parent_id"),
    to="zoo.Parent",
    to_columns=("user_id", "id"),
    on_delete="CASCADE",
)


class Schema:
    """Applies operations one after the other to an app that nobody has installed."""

    def __init__(self, editor: Any) -> None:
        self.editor = editor
        self.state = ProjectState()

    def apply(self, *operations: Any) -> None:
        for operation in operations:
            before = self.state.clone()
            operation.state_forwards("zoo", self.state)
            operation.database_forwards("zoo", self.editor, before, self.state)

    def undo(self, operation: Any, *, to: ProjectState | None = None) -> None:
        operation.database_backwards("zoo", self.editor, self.state, to or self.state)


@pytest.fixture
def schema(db: None) -> Iterator[Schema]:
    with connection.schema_editor(atomic=False) as editor:
        yield Schema(editor)


def _fetch(sql: str, *params: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _placement(table: str) -> list[tuple[Any, ...]]:
    return _fetch(PLACED, table) if has_citus() else []


def _insert(table: str, *values: object) -> None:
    places = ", ".join(["%s"] * len(values))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES ({places})", values)


def test_distributing_twice_distributes_once(schema: Schema) -> None:
    distribute = Distribute("Parent", by="user_id", colocate_with=None)
    schema.apply(PARENT, distribute, distribute)
    assert [method for method, _ in _placement("zoo_parent")] == (["h"] if has_citus() else [])
    _insert("zoo_parent", new_id(), new_id())
    assert _fetch("SELECT count(*) FROM zoo_parent") == [(1,)]


def test_colocated_tables_share_their_group(schema: Schema) -> None:
    together = Distribute("Child", by="user_id", colocate_with="zoo.Parent")
    schema.apply(PARENT, Distribute("Parent", by="user_id"), CHILD, together)
    assert _placement("zoo_child") == _placement("zoo_parent")


def test_tables_that_name_no_other_found_a_group(schema: Schema) -> None:
    if not has_citus():
        pytest.skip("groups exist only on Citus")
    schema.apply(PARENT, Distribute("Parent", by="user_id"))
    schema.apply(CHILD, Distribute("Child", by="user_id"))
    assert _placement("zoo_child") != _placement("zoo_parent")


def test_copying_twice_copies_once(schema: Schema) -> None:
    schema.apply(COPY, Reference("Copied"), Reference("Copied"))
    assert [method for method, _ in _placement("zoo_copied")] == (["n"] if has_citus() else [])
    _insert("zoo_copied", 1)
    assert _fetch("SELECT id FROM zoo_copied") == [(1,)]


def test_a_reference_table_may_follow_a_distributed_one_in_the_same_transaction(
    schema: Schema,
) -> None:
    schema.apply(PARENT, Distribute("Parent", by="user_id"), COPY, Reference("Copied"))
    _insert("zoo_copied", 1)
    assert _fetch("SELECT id FROM zoo_copied") == [(1,)]


@pytest.fixture
def family(schema: Schema) -> Schema:
    """Parents and children, colocated, with a foreign key between them."""
    schema.apply(PARENT, Distribute("Parent", by="user_id"))
    schema.apply(CHILD, Distribute("Child", by="user_id", colocate_with="zoo.Parent"), KEY)
    return schema


def _keys_of_the_child() -> list[tuple[Any, ...]]:
    found = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'"
    return _fetch(found, "zoo_child")


def test_a_foreign_key_refuses_an_orphan(family: Schema) -> None:
    user, parent = new_id(), new_id()
    _insert("zoo_parent", user, parent)
    _insert("zoo_child", user, new_id(), parent)
    with pytest.raises(IntegrityError):
        _insert("zoo_child", new_id(), new_id(), parent)


def test_a_foreign_key_deletes_the_children_with_their_parent(family: Schema) -> None:
    user, parent = new_id(), new_id()
    _insert("zoo_parent", user, parent)
    _insert("zoo_child", user, new_id(), parent)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM zoo_parent WHERE user_id = %s", [user])
    assert _fetch("SELECT count(*) FROM zoo_child") == [(0,)]


def test_adding_a_foreign_key_twice_adds_it_once(family: Schema) -> None:
    family.apply(KEY)
    assert _keys_of_the_child() == [("zoo_child_parent_id_fk",)]


def test_a_foreign_key_can_be_taken_away_twice_and_added_again(family: Schema) -> None:
    family.undo(KEY)
    family.undo(KEY)
    assert _keys_of_the_child() == []
    family.apply(KEY)
    assert _keys_of_the_child() == [("zoo_child_parent_id_fk",)]


def test_sqlmigrate_shows_the_statements_and_runs_none(schema: Schema) -> None:
    schema.apply(PARENT, CHILD)
    together = Distribute("Child", by="user_id", colocate_with="zoo.Parent")
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        shown = Schema(editor)
        shown.state = schema.state
        shown.apply(Distribute("Parent", by="user_id"), together, KEY)
        shown.undo(KEY)
    text = "\n".join(editor.collected_sql)
    assert text.count("create_distributed_table") == (2 if has_citus() else 0)
    assert text.count("ADD CONSTRAINT") == text.count("DROP CONSTRAINT") == 1
    assert _placement("zoo_parent") == _placement("zoo_child") == []
    assert _keys_of_the_child() == []


def test_undoing_a_placement_leaves_the_table_to_create_model(schema: Schema) -> None:
    distribute = Distribute("Parent", by="user_id")
    schema.apply(PARENT, distribute)
    schema.undo(distribute)
    assert ("zoo_parent",) in _fetch(TABLES)
    schema.undo(PARENT, to=ProjectState())
    assert ("zoo_parent",) not in _fetch(TABLES)


# Indexes are made concurrently, which no transaction allows.
@pytest.mark.django_db(transaction=True)
def test_all_migrations_can_go_to_zero_and_forward_again() -> None:
    ours = [c.label for c in apps.get_app_configs() if c.name.startswith("shop.")]
    tables, constraints = _fetch(TABLES), _fetch(CONSTRAINTS)
    placements = {table: _placement(table) for (table,) in tables}
    for label in ours:
        if apps.get_app_config(label).models_module and apps.get_app_config(label).models:
            call_command("migrate", label, "zero", verbosity=0)
    left = {table for (table,) in _fetch(TABLES)}
    assert not {table for table in left if table.partition("_")[0] in ours}
    call_command("migrate", verbosity=0)
    assert _fetch(TABLES) == tables
    assert _fetch(CONSTRAINTS) == constraints
    again = {table: _placement(table) for (table,) in tables}
    methods = [{t: [m for m, _ in rows] for t, rows in p.items()} for p in (placements, again)]
    assert methods[0] == methods[1]
