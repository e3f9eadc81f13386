from django.urls import path

from shop.accounts.api.views import (
    LoginView,
    LogoutView,
    PasswordView,
    RefreshView,
    RegisterView,
    UserListView,
    UserView,
)

urlpatterns = [
    path("auth/register/", RegisterView.as_view()),
    path("auth/login/", LoginView.as_view()),
    path("auth/refresh/", RefreshView.as_view()),
    path("auth/logout/", LogoutView.as_view()),
    path("users/", UserListView.as_view()),
    path("users/me/password/", PasswordView.as_view()),
    path("users/<uuid:user_id>/", UserView.as_view()),
]
