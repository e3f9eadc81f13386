"""The runbooks for staff: what the link of an alert opens."""

import re

import pytest
from django.test import Client

from shop.monitoring.runbooks import PAGES


@pytest.mark.django_db
def test_strangers_are_sent_to_the_login_and_back(client: Client) -> None:
    response = client.get("/status/runbooks/ApiDown.md")
    assert response["Location"] == "/admin/login/?next=/status/runbooks/ApiDown.md"


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.md")))
def test_a_runbook_is_shown_and_its_links_lead_to_others(name: str, browser: Client) -> None:
    response = browser.get(f"/status/runbooks/{name}.md")
    assert response.status_code == 200
    text = response.content.decode()
    (shown,) = re.findall(r'<pre class="runbook">(.*?)</pre>', text, re.DOTALL)
    assert shown.startswith("# ")
    assert "](" not in shown
    for link in re.findall(r'href="([^"]+)"', shown):
        assert (PAGES / link).is_file(), link


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["Nothing.md", "..%2Fapi.md", "%2e%2e/README.md", "ApiDown.txt"])
def test_there_are_no_other_pages(path: str, browser: Client) -> None:
    assert browser.get(f"/status/runbooks/{path}").status_code == 404


@pytest.mark.django_db
def test_the_index_lists_them(browser: Client) -> None:
    assert b'href="ApiDown.md"' in browser.get("/status/runbooks/").content
