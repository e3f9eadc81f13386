"""An export uploaded, looked at, and loaded."""

from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shop.accounts.models import User
from shop.catalog.models import Product
from tests.integration.admin.conftest import Open

pytestmark = pytest.mark.django_db

IMPORT = "/admin/inventory/import/"
FILES = Path(__file__).parents[2] / "data" / "shopify"
OPTIONS = {"encoding": "utf-8-sig", "delimiter": ",", "decimal": "."}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the task run where it is sent."""
    run: Any = lambda name, kwargs: current_app.tasks[name].run(**kwargs)  # noqa: E731
    monkeypatch.setattr("shop.core.broker.send", run)


def look_at(pages: Client, data: bytes, **options: str) -> str:
    file = SimpleUploadedFile("export.csv", data)
    return pages.post(IMPORT, {**OPTIONS, "file": file, **options}).content.decode()


def key_in(page: str) -> str:
    return page.partition('name="key" value="')[2].partition('"')[0]


def test_an_import_is_looked_at_before_it_is_done(browser: Open, cat: User) -> None:
    pages = browser(cat)
    page = look_at(pages, (FILES / "negative-quantity.csv").read_bytes())
    assert "2 products: 2 created" in page
    assert "is negative: taken for 0" in page
    assert not Product.objects.exists()
    done = pages.post(IMPORT, {"key": key_in(page)}, follow=True)
    assert "What the import did" in done.content.decode()
    assert "2 products: 2 created" in done.content.decode()
    assert "Refresh" not in done.headers
    assert Product.objects.count() == 2
    again = pages.post(IMPORT, {"key": key_in(page)}, follow=True).content.decode()
    assert "not kept any more" in again


def test_what_is_not_read_so_says_how_it_is(browser: Open, cat: User) -> None:
    pages, data = browser(cat), (FILES / "semicolon.csv").read_bytes()
    assert "separated by semicolons" in look_at(pages, data)
    assert "1 created" in look_at(pages, data, delimiter=";", decimal=",")
    assert "is not utf-16 text" in look_at(pages, b"Handle,Title,Price\n", encoding="utf-16")
    assert "required" in pages.post(IMPORT, OPTIONS).content.decode()


def test_an_export_is_larger_than_any_other_body(browser: Open, cat: User) -> None:
    pages = browser(cat)
    picture = b"x" * 3_000_000
    data = b'Handle,Title,Body (HTML),Price\nmug,Mug,"<img src=""' + picture + b'"">",9\n'
    assert "1 created" in look_at(pages, data)
    too_much = pages.post(IMPORT, {"file": SimpleUploadedFile("x", b"x" * 11_000_000)})
    assert too_much.status_code == 413


def test_a_form_of_another_site_is_refused(sam: User) -> None:
    pages = Client(enforce_csrf_checks=True)
    pages.force_login(sam)
    assert pages.post(IMPORT, {"key": "x"}).status_code == 403


def test_support_imports_nothing(browser: Open, sue: User) -> None:
    assert browser(sue).get(IMPORT).status_code == 403
    assert browser(sue).post(IMPORT, {"key": "x"}).status_code == 403


def test_an_import_that_nobody_remembers_says_so(browser: Open, cat: User) -> None:
    page = browser(cat).get(IMPORT, {"key": "x"}, follow=True).content.decode()
    assert "Nobody remembers this import" in page
