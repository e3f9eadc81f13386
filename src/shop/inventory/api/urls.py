from django.urls import path

from shop.inventory.api.views import StockView

urlpatterns = [path("products/<int:product_id>/stock/", StockView.as_view())]
