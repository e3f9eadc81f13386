"""A host without docker: what `docker` would answer, and what a deployment asked of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from db.remote.errors import CommandFailed
from db.remote.host.line import Line

SERVICES = (
    *("coordinator", "worker", "redis", "redis-state", "haproxy"),
    *("app1", "app2", "tasks", "prometheus"),
)
JOBS = ("prepare", "migrate", "monitoring")
OF_THE_APPLICATION = ("app1", "app2", "tasks", *JOBS)


@dataclass
class Engine:
    """In the place of a Shell. What a tag is called decides what goes wrong with it.

    `asked` are the commands that change something; `interrupts` is called before each of them.
    """

    port: int
    tags: set[str] = field(default_factory=lambda: {"v1"})
    running: dict[str, str] = field(default_factory=dict)  # the tag of each service
    up: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pid: int = 1
    node_tag: str = "n1"
    ill: set[str] = field(default_factory=set)  # services, whatever their tag
    interrupts: Any = lambda asked: None
    line: Line | None = None

    def run(
        self,
        command: Sequence[str],
        *,
        what: str,
        variables: Mapping[str, str] | None = None,
        interruptible: bool = True,
        given: str = "",
    ) -> str:
        if interruptible and self.line:
            self.line.check()
        words = list(command)
        if words[:2] == ["docker", "compose"]:
            return self._compose(words[8:], (variables or {})["TAG"], what)
        if "db.balancer" in words:
            return self._balancer(words[words.index("db.balancer") + 1 :], what)
        if words[:2] == ["docker", "ps"]:
            return self._ps(words)
        if words[:2] == ["docker", "inspect"]:
            return json.dumps([self._inspect(name) for name in words[2:]])
        return self._other(words, what)

    def _other(self, words: list[str], what: str) -> str:
        is_asked_for = words[:3] == ["docker", "image", "inspect"]
        if is_asked_for and words[3].rpartition(":")[2] not in self.tags:
            raise CommandFailed(what, "No such image")
        if words[:2] == ["docker", "pull"]:
            raise CommandFailed(what, "manifest unknown")
        if "haproxy" in words and "-c" in words:
            self._note("haproxy -c")
        return "/var\n" if words[:2] == ["docker", "info"] else "a log\n"

    def _note(self, text: str) -> None:
        self.interrupts(text)
        self.asked.append(text)

    def _compose(self, words: list[str], tag: str, what: str) -> str:
        if words[0] == "config":
            return self._config(words, tag)
        if words[0] == "up":
            services = [word for word in words if word in SERVICES]
            self._note(f"up {' '.join(services) or 'everything'} {tag}")
            for service in services or SERVICES:
                self.running[service] = tag
                self.up[service] = True
        elif words[0] == "run":
            self._note(f"run {words[-1]} {tag}")
            if tag == f"bad-{words[-1]}":
                raise CommandFailed(what, "it went wrong")
        elif words[0] == "kill":
            self._note("reload haproxy")
            self.pid += 1
        elif words[0] == "down":
            self._note("down")
            self.running = {}
        return "99\n" if words[0] == "exec" else "all is well\n"

    def _config(self, words: list[str], tag: str) -> str:
        if "--hash" in words:
            return "".join(f"{name} {self._digest(name, tag)}\n" for name in (*SERVICES, *JOBS))
        if "--images" in words:
            return f"shardmart/app:{tag}\n"
        services: dict[str, Any] = {
            name: {"image": f"shardmart/app:{tag}" if name in OF_THE_APPLICATION else "other:1"}
            for name in (*SERVICES, *JOBS)
        }
        for job in JOBS:
            services[job]["restart"] = "no"
        services["haproxy"]["ports"] = [
            {"target": 8080, "published": str(self.port), "host_ip": "127.0.0.1"}
        ]
        volumes = {"haproxy": {"name": "shardmart_haproxy"}}
        networks = {"cluster": {"name": "shardmart_cluster"}}
        config = {"services": services, "volumes": volumes, "networks": networks}
        return json.dumps({"name": "shardmart", **config})

    def _digest(self, service: str, tag: str) -> str:
        if service in OF_THE_APPLICATION:
            return f"{service}-{tag}"
        return f"{service}-{self.node_tag}" if service in {"coordinator", "worker"} else service

    def _ps(self, words: list[str]) -> str:
        if "--format" in words:
            return "".join(f"shardmart-{name}-1 {name}\n" for name in self.running)
        asked = next(word.rpartition("=")[2] for word in words if ".service=" in word)
        return asked if asked in self.running else ""

    def _inspect(self, service: str) -> dict[str, Any]:
        tag = self.running[service]
        is_ill = service in self.ill or (tag == "ill" and service in {"app1", "app2"})
        digest = self._digest(service, tag).replace(self.node_tag, "n1")
        return {
            "Id": service,
            "Name": f"/shardmart-{service}-1",
            "Config": {
                "Image": f"shardmart/app:{tag}",
                "Labels": {"com.docker.compose.config-hash": digest},
            },
            "State": {"Status": "running", "Health": {"Status": "unhealthy" if is_ill else ""}},
            "RestartCount": 0,
        }

    def _balancer(self, words: list[str], what: str) -> str:
        if words[0] == "show":
            servers = {name: {"is_up": self.up.get(name, False)} for name in ("app1", "app2")}
            return json.dumps({"pid": self.pid, "servers": servers})
        self._note(" ".join(words))
        if words[0] == "drain":
            others = {"app1", "app2"} - {words[1]}
            if self.up.get(words[1]) and not any(self.up.get(other) for other in others):
                raise CommandFailed(what, "the only app server")
        self.up[words[1]] = words[0] == "ready"
        return f"{words[1]}: {words[0]}"


class Front:
    """What HAProxy's published port would answer."""

    def __init__(self) -> None:
        self.status = 200
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(front.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> Front:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
