"""The database wrapper that Django loads for ENGINE = "sharding.django.backend"."""

from django.db.backends.postgresql import base

from sharding.django.backend.creation import DatabaseCreation
from sharding.django.backend.operations import DatabaseOperations
from sharding.django.backend.schema import DatabaseSchemaEditor
from sharding.django.work import Observed


class DatabaseWrapper(Observed, base.DatabaseWrapper):
    """PostgreSQL, with the remedies that Citus needs."""

    ops_class = DatabaseOperations
    creation_class = DatabaseCreation
    SchemaEditorClass = DatabaseSchemaEditor
