"""A client of the API that names each step, times it and checks its answer."""

from collections.abc import Callable
from time import perf_counter, sleep
from typing import Any

import httpx


class Failed(Exception):
    """A step's answer was not what it should be; the text says what it was."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(reason)
        self.step = step


class Reporter:
    """Prints a line for each step that succeeded, and remembers which one is at work."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.step = ""
        self.steps = 0

    def done(self, status: int, seconds: float) -> None:
        self.steps += 1
        self._write(f"{self.step:<48} {status} {seconds * 1000:7.0f} ms")


class Shop:
    """The API as one person sees it: with their token, or without any."""

    def __init__(self, http: httpx.Client, report: Reporter, token: str = "") -> None:
        self._http = http
        self._report = report
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def signed_in(self, token: str) -> "Shop":
        """Return the same shop, as the owner of an access token sees it."""
        return Shop(self._http, self._report, token)

    def step(
        self, name: str, method: str, path: str, *, expect: int = 200, **request: Any
    ) -> "Answer":
        """Send a request, print it as a step, and return its answer.

        Raises:
            Failed: the answer has another status than expected.
            httpx.HTTPError: no answer came.
        """
        self._report.step = name
        headers = self._headers | request.pop("headers", {})
        began = perf_counter()
        response = self._http.request(method, path, headers=headers, **request)
        seconds = perf_counter() - began
        if response.status_code != expect:
            told = response.text.strip()[:300]
            raise Failed(name, f"expected {expect}, got {response.status_code}: {told}")
        answer = Answer(name, response)
        self._report.done(response.status_code, seconds)
        return answer

    def until(self, name: str, path: str, *, holds: Callable[[Any], bool], seconds: float) -> None:
        """Ask again and again until the answer's body is as it should be; print it as one step.

        Raises:
            Failed: it was not within so many seconds.
            httpx.HTTPError: no answer came.
        """
        self._report.step = name
        began = perf_counter()
        response = self._http.request("GET", path, headers=self._headers)
        while not (response.status_code == 200 and holds(response.json())):
            if perf_counter() - began > seconds:
                raise Failed(name, f"not within {seconds:g} s: {response.text.strip()[:300]}")
            sleep(0.2)
            response = self._http.request("GET", path, headers=self._headers)
        self._report.done(response.status_code, perf_counter() - began)


class Answer:
    """A step's answer; `body` is its JSON."""

    def __init__(self, step: str, response: httpx.Response) -> None:
        self._step = step
        self.headers = response.headers
        try:
            self.body: Any = response.json()
        except ValueError:
            raise Failed(step, f"the answer is no JSON: {response.text[:300]}") from None

    def __getitem__(self, key: str) -> Any:
        try:
            return self.body[key]
        except (KeyError, TypeError):
            raise Failed(self._step, f"the answer has no {key!r}: {self.body}") from None

    def must(self, what: str, actual: object, expected: object) -> None:
        """Raise Failed unless the two are equal; `what` names the thing in the sentence."""
        if actual != expected:
            raise Failed(self._step, f"{what} should be {expected!r}, but is {actual!r}.")
