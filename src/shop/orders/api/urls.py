from django.urls import path

from shop.orders.api.views import OrderItemListView, OrderView, StaffOrderListView

urlpatterns = [
    path("orders/<uuid:order_id>/", OrderView.as_view()),
    path("orders/<uuid:order_id>/items/", OrderItemListView.as_view()),
    path("staff/orders/", StaffOrderListView.as_view()),
]
