from django.urls import path

from shop.privacy.api.views import ExportView, MeView

urlpatterns = [
    path("users/me/", MeView.as_view()),
    path("users/me/export/", ExportView.as_view()),
]
