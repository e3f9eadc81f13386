"""The world of the access table, for whoever else walks the URL map."""

from tests.integration.test_access import world

__all__ = ["world"]
