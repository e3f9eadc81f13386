"""A headless Chromium that remembers what went wrong on its pages."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selenium import webdriver

PROGRAMS = ("chromium", "google-chrome")
FLAGS = (
    "headless",
    "no-sandbox",  # the tests may run as root; only our own pages are opened
    "disable-gpu",
    "disable-dev-shm-usage",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=1280,1000",
)
SECONDS = 20


def programs() -> tuple[str, str] | None:
    """Return the browser and its driver; None where one of them is not installed."""
    browser = next(filter(None, map(shutil.which, PROGRAMS)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def opened(browser: str, driver: str) -> Iterator[webdriver.Chrome]:
    """Start a browser with a profile of its own, which is gone afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"user-data-dir={Path(profile)}"):
            options.add_argument(f"--{flag}")
        chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            chrome.set_page_load_timeout(SECONDS)
            yield chrome
        finally:
            chrome.quit()


def troubles(chrome: Any, url: str) -> list[str]:
    """Return what the pages since the last call complained of, and what could not be loaded.

    Args:
        url: where our pages are; what the browser asks elsewhere, on its own account, is not ours.
    """
    found = [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
    asked: dict[str, str] = {}
    for entry in chrome.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        found += _trouble(event["method"], event["params"], asked, url)
    return found


def _trouble(method: str, params: Any, asked: dict[str, str], url: str) -> Iterator[str]:
    if method == "Network.requestWillBeSent":
        asked[params["requestId"]] = address = params["request"]["url"]
        ours = params.get("documentURL", "").startswith(url)
        if ours and not address.startswith((url, "data:", "blob:")):
            yield f"{address} is not ours"
    elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
        yield f"{params['response']['status']} {params['response']['url']}"
    elif method == "Network.loadingFailed" and not params.get("canceled"):
        address = asked.get(params["requestId"], "")
        if address.startswith(url):
            yield f"{params['errorText']} {params.get('blockedReason', '')} {address}"
