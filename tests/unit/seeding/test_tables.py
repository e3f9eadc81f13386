import pytest

from shop.seeding.tables import TABLES, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.model._meta.label)
def test_the_columns_are_those_of_the_model(table: Table) -> None:
    """A column that is added has to be seeded as well, unless the database has a value for it."""
    fields = [
        field for field in table.model._meta.concrete_fields if field.column and not field.generated
    ]
    required = {field.column for field in fields if not (field.null or field.has_db_default())}
    assert required <= set(table.columns) <= {field.column for field in fields}
