"""What can be wrong with a migration, and what to write instead.

Operations that are named without a package are Django's own or those of
django.contrib.postgres.operations and sharding.django.expand_contract.operations.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPATIBILITY = {
    "drop-column": (
        "Release A takes the field out of the models alone: SeparateDatabaseAndState("
        "state_operations=[RemoveField(…)]). A later one drops the column: DropField."
    ),
    "retired-column": (
        "The new code's INSERTs leave the column out: give it a database default first "
        "(AlterField with db_default), in the same migration."
    ),
    "drop-table": (
        "Release A takes the model out of the code alone: SeparateDatabaseAndState("
        "state_operations=[DeleteModel(…)]). A later one drops the table: DropModel."
    ),
    "rename-column": (
        "Rename the field and keep the column: db_column=<the old name>. For a column of another "
        "name: add it, write both, copy the rows, read it, drop the old one, a release for each."
    ),
    "rename-table": (
        "Rename the model and keep the table: Meta.db_table = <the old name>, with "
        "SeparateDatabaseAndState(state_operations=[RenameModel(…), AlterModelTable(…)])."
    ),
    "not-null-column": "Give it a default in the database (db_default=…), or null=True.",
    "set-not-null": (
        "Release A: code that writes no NULL. Release B: AddConstraintNotValid of "
        "CheckConstraint(condition=Q(<field>__isnull=False)), and in a migration behind it "
        "ValidateConstraint. Release C: AlterField, then RemoveConstraint."
    ),
    "changed-type": (
        "Add a column of the new type, write both, copy the rows in batches, read the new one, "
        "drop the old one: a release for each."
    ),
    "dropped-default": "Leave it: the running release's INSERTs count on it.",
    "new-check": (
        "First a release whose code keeps to it. Then the constraint, allowed with the reason why "
        "the running code keeps to it."
    ),
    "new-unique": (
        "First a release whose code keeps to it. Then the constraint, allowed with the reason why "
        "the running code keeps to it."
    ),
    "new-foreign-key": (
        "First a release whose code keeps to it. Then the constraint, allowed with the reason why "
        "the running code keeps to it."
    ),
    "drop-unique": (
        "First a release that counts on it nowhere (get_or_create, ON CONFLICT). Then drop it, "
        "allowed with that reason."
    ),
    "edited-migration": (
        "Undo the edit and write a new migration: databases that have applied this one never see "
        "what it says now."
    ),
    "removed-migration": (
        "Restore it, or squash it: what it did stays in the databases that have applied it. A "
        "branch that is behind takes in what it lacks first."
    ),
    "unreleased-squash": "Squash only what every release that runs has: leave the new ones out.",
}

LOCKS = {
    "create-index": (
        "AddIndexConcurrently, or AddUniqueConcurrently, alone in a migration with atomic = False. "
        "For a field: db_index=False, and the index in Meta.indexes."
    ),
    "scan": (
        "Add it NOT VALID: AddConstraintNotValid, or CompositeForeignKey(…, not_valid=True). "
        "In a migration behind it: ValidateConstraint, which lets writes pass."
    ),
    "unnamed-check": (
        "Add the field of the signed type (SmallIntegerField, IntegerField, BigIntegerField), and "
        "if need be a CheckConstraint by AddConstraintNotValid."
    ),
    "rewrite": (
        "Add a nullable column, or one with a constant db_default, fill it in batches, and go on "
        "with that."
    ),
    "placement": (
        "Place a table in the migration that creates it. One with rows: a DBA's "
        "create_distributed_table_concurrently, or a new table that is filled in batches."
    ),
    "in-transaction": "Set atomic = False on the migration, and leave nothing else in it.",
    "held-lock": (
        "Put it first, or into a migration of its own: what comes before it locks a table until "
        "the transaction ends."
    ),
    "unreviewed": (
        "Let somebody read it who knows the table's size; then allow it with the reason why it "
        "locks nothing for long and the running code can live with it. Rows are changed in "
        "batches, in a migration with atomic = False or by a command."
    ),
    "unknown-operation": (
        "This check knows nothing of it: read what it does, and allow it with the reason."
    ),
}

ALLOWANCE = {
    "bad-allowance": "allowed = {'<code>': '<why this is safe now>'} is how a migration says it.",
}

REMEDIES = COMPATIBILITY | LOCKS | ALLOWANCE


@dataclass(frozen=True, kw_only=True)
class Objection:
    """One thing that is wrong with an operation, or with a whole migration.

    Attributes:
        code: stable name, by which a migration may allow it.
        message: the sentence, with the names of table and release.
        operation: what the operation says of itself; empty for the whole migration.
    """

    code: str
    message: str
    operation: str = ""

    @property
    def remedy(self) -> str:
        """What to write instead."""
        return REMEDIES[self.code]
