"""What the reviews refuse.

AlreadyReviewed (409)
"""

from shop.core.errors import Conflict


class AlreadyReviewed(Conflict):
    """One user says one thing of a product; it can be changed."""

    code = "already_reviewed"
