"""The pages that people look at, in a browser, through HAProxy."""

from collections.abc import Callable, Iterator
from contextlib import closing
from secrets import token_hex

import psycopg2
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from shop.config.environment import load
from tests.e2e.browser import SECONDS, opened, programs, troubles
from tests.e2e.conftest import PASSWORD, manage
from tests.native import native


@pytest.fixture(scope="module")
@native("opens a browser")
def chrome(url: str) -> Iterator[Chrome]:
    found = programs()
    if found is None:
        pytest.skip("no browser is installed; `make test` installs one")
    with opened(*found) as browser:
        yield browser


@pytest.fixture(autouse=True)
def _forget(chrome: Chrome, url: str) -> None:
    troubles(chrome, url)


@pytest.fixture(scope="module")
def staff(chrome: Chrome, url: str) -> str:
    """Log a new admin in, by their e-mail address; returns their username."""
    name = f"sam-{token_hex(8)}"
    email = f"{name}@example.com"
    manage("create_staff", f"--username={name}", f"--email={email}", "--role=admin")
    chrome.get(f"{url}/admin/")
    chrome.find_element(By.NAME, "username").send_keys(email)
    chrome.find_element(By.NAME, "password").send_keys(PASSWORD)
    chrome.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    wait_for(chrome, "#user-tools")
    return name


def wait_for(chrome: Chrome, selector: str, text: str = "") -> str:
    """Wait until an element with this text is shown; return all of its text."""
    shown: Callable[[Chrome], str | None] = lambda page: next(  # noqa: E731
        (
            element.text
            for element in page.find_elements(By.CSS_SELECTOR, selector)
            if element.is_displayed() and text in element.text
        ),
        None,
    )
    # An element may be replaced while it is looked at.
    return WebDriverWait(chrome, SECONDS, ignored_exceptions=[Exception]).until(shown)


def test_the_documentation_shows_every_operation_by_itself(chrome: Chrome, url: str) -> None:
    chrome.get(f"{url}/api/docs/")
    wait_for(chrome, "h1, h2.title", "Shardmart API")
    wait_for(chrome, ".opblock-summary-path", "/api/orders/")
    chrome.find_element(By.CSS_SELECTOR, ".opblock-summary-control").click()
    wait_for(chrome, ".opblock-body")
    assert troubles(chrome, url) == []


def test_the_login_of_the_staff_pages_opens(chrome: Chrome, url: str) -> None:
    chrome.delete_all_cookies()
    chrome.get(f"{url}/admin/")
    assert chrome.current_url.startswith(f"{url}/admin/login/")
    wait_for(chrome, "#site-name", "Shardmart")
    wait_for(chrome, "label", "Username or e-mail")
    assert troubles(chrome, url) == []


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("", "Staff pages"),
        ("catalog/category/", "Select category to change"),
        ("catalog/category/add/", "Add category"),
        ("catalog/product/", "Select product to change"),
        ("catalog/product/add/", "Add product"),
        ("inventory/shelf/", "Select stock to change"),
        ("accounts/user/", "Select user to change"),
        ("accounts/user/?every_shard=all", "Select user to change"),
        ("accounts/user/add/", "Add user"),
        ("password_change/", "Password change"),
    ],
)
def test_a_staff_page_opens(chrome: Chrome, url: str, path: str, heading: str) -> None:
    chrome.get(f"{url}/admin/{path}")
    wait_for(chrome, "#content h1", heading)
    assert troubles(chrome, url) == []


def test_staff_make_a_product_and_stock_it(chrome: Chrome, url: str, staff: str) -> None:
    name = f"Book {token_hex(4)}"
    chrome.get(f"{url}/admin/catalog/category/add/")
    chrome.find_element(By.NAME, "name").send_keys(name)
    chrome.find_element(By.NAME, "_save").click()
    wait_for(chrome, ".messagelist .success", name)
    chrome.get(f"{url}/admin/catalog/product/add/")
    chrome.find_element(By.NAME, "name").send_keys(name)
    chrome.find_element(By.NAME, "price").send_keys("9.50")
    chrome.find_element(By.CSS_SELECTOR, ".select2-selection").click()
    chrome.find_element(By.CSS_SELECTOR, ".select2-search__field").send_keys(name)
    wait_for(chrome, ".select2-results__option--highlighted", name)
    chrome.find_element(By.CSS_SELECTOR, ".select2-results__option--highlighted").click()
    chrome.find_element(By.NAME, "_save").click()
    wait_for(chrome, ".messagelist .success", name)
    chrome.get(f"{url}/admin/inventory/shelf/?q={name.replace(' ', '+')}")
    chrome.find_element(By.CSS_SELECTOR, "#result_list tbody th a").click()
    wait_for(chrome, "#content h1", "Change stock")
    chrome.find_element(By.NAME, "delta").send_keys("7")
    chrome.find_element(By.NAME, "_continue").click()
    wait_for(chrome, ".messagelist .success", name)
    wait_for(chrome, ".field-available .readonly", "7")
    wait_for(chrome, ".field-ledger table", "+7 Receipt")
    assert troubles(chrome, url) == []


def test_staff_find_an_account_by_its_name(chrome: Chrome, url: str, staff: str) -> None:
    chrome.get(f"{url}/admin/accounts/user/?q={staff.upper()}")
    chrome.find_element(By.CSS_SELECTOR, "#result_list tbody th a").click()
    wait_for(chrome, "#content h1", "Change user")
    wait_for(chrome, ".field-username .readonly", staff)
    assert troubles(chrome, url) == []


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_console_shows_the_shards(chrome: Chrome, url: str, scheme: str, width: int) -> None:
    if not has_citus():
        pytest.skip("this stack has no shards")
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        chrome.get(f"{url}/shards/")
        wait_for(chrome, "h1", "Shards")
        wait_for(chrome, ".node .health", "answers")
        assert len(chrome.find_elements(By.CSS_SELECTOR, ".node svg a")) >= 8
        first = chrome.find_element(By.CSS_SELECTOR, ".figures")
        wait_until_renewed(chrome, first)
        overflow = "return document.documentElement.scrollWidth - window.innerWidth"
        assert chrome.execute_script(overflow) <= 0
        chrome.find_element(By.CSS_SELECTOR, ".node svg a").click()
        wait_for(chrome, "h1", "Shard group")
        assert troubles(chrome, url) == []
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def has_citus() -> bool:
    dsn = load().required("DATABASE_DIRECT_URL")
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        return cursor.fetchone() is not None


def wait_until_renewed(chrome: Chrome, element: WebElement) -> None:
    """Wait until the page has exchanged an element for a newer one."""
    WebDriverWait(chrome, SECONDS).until(staleness_of(element))
