"""What a stack is given is what stands in monitoring/, but for addresses and time."""

import re

import yaml

from monitoring import rendering
from shop.monitoring.panels import ASKED


def alerts(texts: dict[str, str]) -> dict[str, dict[str, object]]:
    return {
        rule["alert"]: rule
        for text in texts.values()
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def test_in_a_hurry_a_minute_lasts_a_second() -> None:
    assert rendering.hurried("for: 5m") == "for: 5s"
    assert rendering.hurried("rate(x[6h])") == "rate(x[6m])"
    assert rendering.hurried("age > 10 * 60") == "age > 10"
    assert rendering.hurried("repeat_interval: 1d") == "repeat_interval: 24m"


def test_what_is_shorter_than_a_minute_lasts_a_second_as_well() -> None:
    assert rendering.hurried("group_wait: 30s") == "group_wait: 1s"


def test_in_a_hurry_nothing_but_durations_differs() -> None:
    def timeless(text: str) -> str:
        return re.sub(r"\b\d+[smhd]\b", "a while", text).replace(" * 60", "")

    slow, fast = rendering.rules(), rendering.rules(hurry=True)
    assert slow != fast
    assert {n: timeless(t) for n, t in slow.items()} == {n: timeless(t) for n, t in fast.items()}


def test_no_rule_of_the_test_stack_lasts_for_minutes() -> None:
    for name, rule in alerts(rendering.rules(hurry=True)).items():
        assert str(rule.get("for", "0s")).endswith("s"), name
        assert "* 60" not in str(rule["expr"]), name


def test_links_lead_where_the_stack_has_them() -> None:
    at = rendering.rules(runbooks="https://docs.example/runbooks/", grafana="https://g.example/")
    annotations = alerts(at)["NodeDown"]["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["runbook_url"] == "https://docs.example/runbooks/NodeDown.md"
    assert annotations["dashboard_url"] == "https://g.example/d/shardmart-cluster?viewPanel=1"


def test_without_grafana_an_alert_links_to_the_status_page() -> None:
    rules = alerts(rendering.rules(status_page="http://127.0.0.1:8080/status/"))
    for rule in rules.values():
        assert isinstance(rule["annotations"], dict)
        assert rule["annotations"]["dashboard_url"] == "http://127.0.0.1:8080/status/"


def test_mail_goes_to_the_catcher_unless_a_server_is_named() -> None:
    local = yaml.safe_load(rendering.alertmanager_yml({}, smarthost="127.0.0.1:8025"))
    assert local["global"]["smtp_smarthost"] == "127.0.0.1:8025"
    assert local["global"]["smtp_require_tls"] is False
    named = {"ALERT_SMARTHOST": "mail.example:587", "ALERT_TO": "ana@example.com"}
    chosen = yaml.safe_load(rendering.alertmanager_yml(named, smarthost="127.0.0.1:8025"))
    assert chosen["global"]["smtp_smarthost"] == "mail.example:587"
    assert chosen["global"]["smtp_require_tls"] is True
    assert {r["email_configs"][0]["to"] for r in chosen["receivers"]} == {"ana@example.com"}


def test_a_webhook_is_told_of_everything_as_well() -> None:
    text = rendering.alertmanager_yml(
        {"ALERT_WEBHOOK_URL": "https://chat.example/x"}, smarthost="127.0.0.1:8025"
    )
    for receiver in yaml.safe_load(text)["receivers"]:
        assert receiver["email_configs"]
        assert receiver["webhook_configs"] == [
            {"url": "https://chat.example/x", "send_resolved": True}
        ]


def test_without_citus_nobody_asks_for_its_functions() -> None:
    assert "citus" in rendering.postgres_queries(citus=True)
    without = yaml.safe_load(rendering.postgres_queries(citus=False))
    assert without
    assert "citus" not in str(without)


def test_customers_are_those_of_the_status_page() -> None:
    """An alert that counts the checks of machines is diluted by them at night."""
    kept = re.findall(r'route!~"[^"]+"', rendering.rules()["recording.yml"])
    assert len(kept) == 2
    assert set(kept) == {ASKED}


def test_an_alert_carries_what_its_runbook_says_to_do() -> None:
    """A shop that is down shows nobody a runbook, and a phone at night has the mail."""
    for name, rule in alerts(rendering.rules()).items():
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        page = (rendering.HERE.parent / f"docs/runbooks/{name}.md").read_text()
        assert f"## Do\n\n{annotations['remedy']}\n\n## " in page
