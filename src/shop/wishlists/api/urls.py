from django.urls import path

from shop.wishlists.api.views import WishlistItemListView, WishlistItemView, WishlistView

urlpatterns = [
    path("wishlist/", WishlistView.as_view()),
    path("wishlist/items/", WishlistItemListView.as_view()),
    path("wishlist/items/<uuid:item_id>/", WishlistItemView.as_view()),
]
