from django.urls import path

from shop.catalog.api.views import CategoryListView, CategoryView, ProductListView, ProductView

urlpatterns = [
    path("categories/", CategoryListView.as_view()),
    path("categories/<int:category_id>/", CategoryView.as_view()),
    path("products/", ProductListView.as_view()),
    path("products/<int:product_id>/", ProductView.as_view()),
]
