"""The OpenAPI document: what the rooms say of their operations, completed from the code.

Each room describes its operations in ``api/schema.py``, in one table from ``View.method`` to an
Operation. What can be read from the views (who may ask, what a path is made of, how pages and
tokens work) is never written down there.
"""

from shop.core.openapi.headers import TIME_EXAMPLE, UUID_EXAMPLE
from shop.core.openapi.operations import Operation, page_of

__all__ = ["TIME_EXAMPLE", "UUID_EXAMPLE", "Operation", "page_of"]
