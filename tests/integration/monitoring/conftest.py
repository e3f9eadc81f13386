import pytest
from django.test import Client

from shop.accounts.models import User
from tests.conftest import PASSWORD


@pytest.fixture
def browser(sam: User) -> Client:
    """Sam, logged in on the staff pages."""
    client = Client()
    client.post("/admin/login/", {"username": sam.username, "password": PASSWORD, "next": "/"})
    return client
