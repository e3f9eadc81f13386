"""A shop operator's day at /admin/, in a browser, through HAProxy.

Import, price, an order that a customer places meanwhile, shipping, a refund that is paid out by
hand, and a product that is withdrawn; then the pages are looked at with the keyboard, narrow, dark.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.browser import opened, programs, troubles
from tests.e2e.conftest import PASSWORD, manage
from tests.e2e.test_pages import wait_for
from tests.native import native

HEADER = "Handle,Title,Type,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty"
HEADER += ",Variant Inventory Policy,Variant Price,Status"

MINUTE = 60  # seconds, for what a worker does

NewUser = Callable[[], httpx.Client]


@pytest.fixture(scope="module")
@native("opens a browser")
def chrome(url: str) -> Iterator[Chrome]:
    found = programs()
    if found is None:
        pytest.skip("no browser is installed; `make test` installs one")
    with opened(*found) as browser:
        yield browser


@pytest.fixture(scope="module")
def staff(chrome: Chrome, url: str) -> None:
    name = f"sam-{token_hex(8)}"
    manage("create_staff", f"--username={name}", f"--email={name}@example.com", "--role=admin")
    chrome.get(f"{url}/admin/")
    chrome.find_element(By.NAME, "username").send_keys(name)
    chrome.find_element(By.NAME, "password").send_keys(PASSWORD, Keys.ENTER)
    wait_for(chrome, "#user-tools")
    troubles(chrome, url)


@pytest.fixture
def export(tmp_path: Path) -> tuple[str, Path]:
    """A shop's export of one product with two variants, under a handle of its own."""
    handle = f"mug-{token_hex(4)}"
    path = tmp_path / "products_export.csv"
    rows = (
        f"{handle},Mug {handle},Day,Blue,shopify,7,deny,9.00,active",
        f"{handle},,,Red,,,continue,9.00,",
    )
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return handle, path


def do(chrome: Chrome, action: str, said: str, **fields: str) -> None:
    """Open an action of the page by keyboard, fill it in, and send it off."""
    summary = chrome.find_element(By.CSS_SELECTOR, f"#do-{action} summary")
    summary.send_keys(Keys.ENTER)
    for name, value in fields.items():
        chrome.find_element(By.NAME, f"{action}-{name}").send_keys(value)
    chrome.find_element(By.CSS_SELECTOR, f"#do-{action} button").send_keys(Keys.ENTER)
    wait_for(chrome, ".messagelist .success", said)


def first_result(chrome: Chrome, url: str, path: str, term: str) -> None:
    chrome.get(f"{url}/admin/{path}")
    chrome.find_element(By.NAME, "q").send_keys(term, Keys.ENTER)
    wait_for(chrome, "#result_list")
    chrome.find_element(By.CSS_SELECTOR, "#result_list tbody th a").click()
    wait_for(chrome, "#content h1")


def order_by(buyer: httpx.Client, product: int, method: str) -> str:
    buyer.post("/api/cart/items/", json={"product_id": product}).raise_for_status()
    body = {"payment_method": method}
    if method == "card":
        body["payment_token"] = "tok_success"
    key = {"Idempotency-Key": token_hex(8)}
    answer = buyer.post("/api/orders/", json=body, headers=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.usefixtures("staff")
def test_a_shops_day(chrome: Chrome, url: str, export: tuple[str, Path], new_user: NewUser) -> None:
    handle, path = export
    # Import: looked at first, then done by a worker.
    chrome.get(f"{url}/admin/inventory/import/")
    chrome.find_element(By.NAME, "file").send_keys(str(path))
    chrome.find_element(By.CSS_SELECTOR, ".actions-of-row button").click()
    wait_for(chrome, ".told", "2 products: 2 created")
    chrome.find_element(By.NAME, "load").click()
    wait_for(chrome, "#content h2", "What the import did")
    wait_for(chrome, ".told", "1 sold without counting")
    # Price: a comma is refused, a point is taken.
    first_result(chrome, url, "catalog/product/", f"{handle}-blue")
    price = chrome.find_element(By.NAME, "price")
    price.clear()
    price.send_keys("18,50")
    chrome.find_element(By.NAME, "_continue").click()
    wait_for(chrome, ".field-price .errorlist", "with a point before the decimals")
    price = chrome.find_element(By.NAME, "price")
    price.clear()
    price.send_keys("18.50")
    chrome.find_element(By.NAME, "_continue").click()
    wait_for(chrome, ".messagelist .success")
    page = chrome.current_url
    chrome.get(page.replace("/change/", "/history/"))
    wait_for(chrome, "#change-history", "Changed price from 9.00 to 18.50.")
    # A customer orders one by card and one by bank transfer.
    product = int(page.split("/")[-3])
    buyer = new_user()
    shipped, transfer = (order_by(buyer, product, how) for how in ("card", "bank_transfer"))
    # The first is shipped.
    wait_for_status(chrome, buyer, shipped, "paid")
    first_result(chrome, url, "orders/order/", shipped)
    do(chrome, "ship", "Shipped, with tracking number RR 42", tracking_number="RR 42")
    wait_for(chrome, ".field-status", "Shipped")
    # The second's money comes, goes back, and is paid out by hand.
    first_result(chrome, url, "orders/order/", transfer)
    chrome.find_element(By.CSS_SELECTOR, "#content td a[href*='/payments/payment/']").click()
    wait_for(chrome, "#do-receive")
    do(chrome, "receive", "Received 18.50 by bank transfer", reference="SEPA 1")
    do(chrome, "refund", "18.50 goes back to the customer")
    do(chrome, "pay-out", "Paid 18.50 out", reference="SEPA 2")
    wait_for(chrome, ".field-status", "Refunded")
    wait_for_status(chrome, buyer, transfer, "refunded")
    # The product is withdrawn, and gone for customers at once.
    assert buyer.get(f"/api/products/{product}/").status_code == 200
    chrome.get(page)
    chrome.find_element(By.CSS_SELECTOR, "[name=status] option[value=archived]").click()
    chrome.find_element(By.NAME, "_save").click()
    wait_for(chrome, ".messagelist .success")
    assert buyer.get(f"/api/products/{product}/").status_code == 404
    assert buyer.get(f"/api/orders/{shipped}/").json()["items"][0]["product_id"] == product
    assert troubles(chrome, url) == []


def wait_for_status(chrome: Chrome, buyer: httpx.Client, order: str, status: str) -> None:
    """Ask for an order until it has a status."""
    own = f"/api/orders/{order}/"
    WebDriverWait(chrome, MINUTE).until(
        lambda _: buyer.get(own).json()["order_status"] == status, f"{order} never became {status}"
    )


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "orders/order/?show=all",
        "payments/payment/?show=due",
        "reviews/review/?show=all",
        "webhooks/webhookendpoint/",
        "webhooks/webhookdelivery/?show=all",
        "core/deadletter/?show=all",
        "inventory/import/",
    ],
)
def test_a_page_of_the_day_fits_every_width(
    chrome: Chrome, url: str, path: str, width: int, scheme: str
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        chrome.get(f"{url}/admin/{path}")
        wait_for(chrome, "#content h1")
        overflow = "return document.documentElement.scrollWidth - window.innerWidth"
        assert chrome.execute_script(overflow) <= 0
        assert troubles(chrome, url) == []
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
