import pytest

from shop.seeding.tables import TABLES, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.model._meta.label)
def test_the_columns_are_those_of_the_model(table: Table) -> None:
    """A column that is added to a model has to be seeded as well."""
    columns = {
        field.column
        for field in table.model._meta.concrete_fields
        if field.column and not field.generated
    }
    assert set(table.columns) == columns
