from django.urls import path

from shop.checkout.api.views import OrdersView

urlpatterns = [path("orders/", OrdersView.as_view())]
