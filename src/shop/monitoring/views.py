"""The page /status/ and the runbooks below it, for every member of staff."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from shop.monitoring import runbooks
from shop.monitoring.status import status


def show(request: HttpRequest) -> HttpResponse:
    """Show the last hour and how things stand; the page asks for itself anew now and then."""
    return render(request, "monitoring/status.html", {"status": status(), "refresh": 30})


def runbook(request: HttpRequest, name: str = runbooks.INDEX) -> HttpResponse:
    """Show what to do about an alert."""
    page = runbooks.page(name)
    if page is None:
        raise Http404
    return render(request, "monitoring/runbook.html", {"name": name, "page": page})
