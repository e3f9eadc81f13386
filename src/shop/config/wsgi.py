"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from shop.core.framing import measured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

application = measured(get_wsgi_application())
