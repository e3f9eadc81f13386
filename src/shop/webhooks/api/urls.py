from django.urls import path

from shop.webhooks.api.views import DeliveryListView, EndpointListView, EndpointView, ReplayView

urlpatterns = [
    path("staff/webhooks/", EndpointListView.as_view()),
    path("staff/webhooks/<int:endpoint_id>/", EndpointView.as_view()),
    path("staff/webhooks/<int:endpoint_id>/deliveries/", DeliveryListView.as_view()),
    path(
        "staff/webhooks/<int:endpoint_id>/deliveries/<uuid:user_id>/<uuid:delivery_id>/replay/",
        ReplayView.as_view(),
    ),
]
