from django.urls import path

from shop.carts.api.views import CartItemListView, CartItemView, CartView

urlpatterns = [
    path("cart/", CartView.as_view()),
    path("cart/items/", CartItemListView.as_view()),
    path("cart/items/<uuid:item_id>/", CartItemView.as_view()),
]
