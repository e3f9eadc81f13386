from django.urls import path

from shop.payments.api.views import PaymentListView, PaymentView, StaffRefundListView

urlpatterns = [
    path("payments/", PaymentListView.as_view()),
    path("payments/<uuid:payment_id>/", PaymentView.as_view()),
    path("staff/refunds/", StaffRefundListView.as_view()),
]
