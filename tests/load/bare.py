"""The least that Django can do: a view that returns ready bytes, alone or behind our middleware.

Two WSGI applications for gunicorn, chosen by BARE=alone|behind; the bytes come from BARE_BODY.
"""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

BODY = Path(os.environ["BARE_BODY"]).read_bytes()


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        BODY, content_type="application/json", headers={"Content-Length": len(BODY)}
    )


# Outside of /api/: nothing counts the requests in Redis.
urlpatterns = [path("bare/", view)]

if os.environ["BARE"] == "behind":
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.config.settings"
    settings.ROOT_URLCONF = __name__
else:
    settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["127.0.0.1"])

django.setup()
application = WSGIHandler()
