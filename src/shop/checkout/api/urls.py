from django.urls import path

from shop.checkout.api.gateway import WebhookView
from shop.checkout.api.staff import (
    PaidOutView,
    ReceivedView,
    RefundView,
    StaffOrderOfUserView,
    StaffOrderView,
)
from shop.checkout.api.views import CancelOrderView, OrderPaymentsView, OrdersView

urlpatterns = [
    path("orders/", OrdersView.as_view()),
    path("orders/<uuid:order_id>/cancel/", CancelOrderView.as_view()),
    path("orders/<uuid:order_id>/payments/", OrderPaymentsView.as_view()),
    path("payments/webhook/", WebhookView.as_view()),
    path("payments/<uuid:payment_id>/refund/", RefundView.as_view()),
    path("payments/<uuid:payment_id>/received/", ReceivedView.as_view()),
    path("payments/<uuid:payment_id>/paid-out/", PaidOutView.as_view()),
    path("staff/orders/<uuid:order_id>/", StaffOrderView.as_view()),
    path("staff/orders/<uuid:user_id>/<uuid:order_id>/", StaffOrderOfUserView.as_view()),
]
