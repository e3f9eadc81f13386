from django.urls import path

from shop.catalog.api.views import CategoryListView, CategoryView, ProductListView

# One product is answered by the reviews, which add its rating to ProductView.
urlpatterns = [
    path("categories/", CategoryListView.as_view()),
    path("categories/<int:category_id>/", CategoryView.as_view()),
    path("products/", ProductListView.as_view()),
]
