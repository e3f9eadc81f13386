"""/status/ in a real browser: it draws, and nothing on it is refused by its own policy."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import url_to_be
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.browser import opened, programs, troubles
from tests.e2e.conftest import PASSWORD, manage
from tests.native import native


@pytest.fixture(scope="module")
@native("opens a browser")
def chrome() -> Iterator[Any]:
    found = programs()
    if found is None:
        pytest.skip("no Chromium with its driver; `make test` installs them")
    with opened(*found) as browser:
        yield browser


@pytest.fixture(scope="module")
def support(url: str) -> str:
    """A member of the support, by their name."""
    name = f"support-{secrets.token_hex(6)}"
    manage("create_staff", f"--username={name}", f"--email={name}@example.com", "--role=support")
    return name


@pytest.fixture
def page(url: str, chrome: Any, support: str) -> Any:
    """The page, opened by a member of the support."""
    chrome.get(f"{url}/status/")
    chrome.find_element(By.NAME, "username").send_keys(support)
    chrome.find_element(By.NAME, "password").send_keys(PASSWORD)
    chrome.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    WebDriverWait(chrome, 20).until(url_to_be(f"{url}/status/"))
    return chrome


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_fits_its_window_and_nothing_on_it_is_refused(
    url: str, page: Any, theme: str, width: int
) -> None:
    wanted = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.get(f"{url}/status/")
    assert len(page.find_elements(By.CSS_SELECTOR, ".chart > svg")) >= 3
    assert len(page.find_elements(By.CSS_SELECTOR, "tbody tr")) >= 1
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    stroke = "return getComputedStyle(document.querySelector('.stroke.s1')).stroke"
    assert page.execute_script(stroke) not in {"none", ""}  # the stylesheet was loaded
    assert troubles(page, url) == []
    page.delete_all_cookies()
