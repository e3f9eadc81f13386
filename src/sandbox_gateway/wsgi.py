"""What gunicorn serves. One process with threads: the sender of the events lives in it."""

import os

from sandbox_gateway.app import Application
from sandbox_gateway.provider import Provider
from sandbox_gateway.settings import load
from sandbox_gateway.store import Store
from sandbox_gateway.webhooks import Sender

settings = load(os.environ)
store = Store(settings.state)
application = Application(Provider(settings, store), store, key=settings.key)
if settings.webhook_url:
    Sender(settings, store).start()
