"""The page /status/, for every member of staff."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shop.monitoring.status import status


def show(request: HttpRequest) -> HttpResponse:
    """Show the last hour and how things stand; the page asks for itself anew now and then."""
    return render(request, "monitoring/status.html", {"status": status(), "refresh": 30})
