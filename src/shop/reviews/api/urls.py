from django.urls import path

from shop.reviews.api.views import RatedProductView, ReviewListView, ReviewView

urlpatterns = [
    path("products/<int:product_id>/", RatedProductView.as_view()),
    path("products/<int:product_id>/reviews/", ReviewListView.as_view()),
    path("reviews/<int:product_id>/<uuid:review_id>/", ReviewView.as_view()),
]
