from django.urls import path

from shop.core.roles import STAFF
from shop.core.staff import staff_only
from shop.monitoring import views

urlpatterns = [
    path("", staff_only(STAFF)(views.show), name="status"),
    path("runbooks/", staff_only(STAFF)(views.runbook), name="runbooks"),
    path("runbooks/<str:name>.md", staff_only(STAFF)(views.runbook), name="runbook"),
]
