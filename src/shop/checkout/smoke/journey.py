"""The journey: staff fills the shelf, a buyer empties it, and a stranger sees nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex, token_urlsafe
from typing import Any

import httpx
from django.conf import settings
from django.db import DatabaseError

from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.checkout.smoke.client import Answer, Failed, Shop
from shop.core.roles import Role

STOCK = 10
PRICE, OTHER_PRICE = "19.90", "5.00"
MAKE_STAFF = "make a member of staff"


class Journey:
    """Everything has a random name, so that it can be played again and again."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.tag = token_hex(6)
        self.products: list[int] = []

    def play(self) -> tuple[Shop, str]:
        """Play all steps; return the shop as the buyer sees it, and the order's id.

        Raises:
            Failed: a step's answer was wrong.
            httpx.HTTPError: a step got no answer.
        """
        self.shop.step("health", "GET", "/health/ready")
        buyer = self.sign_up()
        with self.staff() as staff:
            category = self.create_category(staff)
            product = self.fill_shelf(staff, category)
            self.browse(category)
            self.fill_cart(buyer, product)
            order = self.order(buyer, product)
            self.look_back(buyer, staff, product, order)
            self.keep_strangers_out(order)
            self.ask_too_much(buyer, product)
            self.withdraw(staff, buyer, product)
        return buyer, order

    def sign_up(self) -> Shop:
        """Register, log in by e-mail, refresh; return the shop as the buyer sees it."""
        account = self.account("buyer")
        created = self.shop.step(
            "register", "POST", "/api/auth/register/", json=account, expect=201
        )
        created.must("the user's name", created["user"]["username"], account["username"])
        pair = self.log_in("log in by e-mail", email=account["email"].upper(), **secret(account))
        renewed = self.shop.step(
            "refresh the tokens", "POST", "/api/auth/refresh/", json={"refresh": pair["refresh"]}
        )
        renewed.must("a new refresh token", renewed["refresh"] != pair["refresh"], True)
        return self.shop.signed_in(renewed["access"])

    @contextmanager
    def staff(self) -> Iterator[Shop]:
        """Make a member of staff, as no route does, log in over HTTP; close the account after."""
        account = self.account("staff")
        try:
            user = accounts.register(**account, role=Role.CATALOG_MANAGER)
        except DatabaseError as error:
            raise Failed(MAKE_STAFF, f"the database does not answer ({error}).") from error
        try:
            pair = self.log_in("staff: log in", username=account["username"], **secret(account))
            yield self.shop.signed_in(pair["access"])
        finally:
            User.objects.for_user(user.id).update(is_active=False)

    def create_category(self, staff: Shop) -> int:
        created = staff.step(
            "staff: create a category",
            "POST",
            "/api/categories/",
            json={"name": f"Smoke {self.tag}"},
            expect=201,
        )
        return int(created["id"])

    def fill_shelf(self, staff: Shop, category: int) -> int:
        """Create two products, put stock on the shelf for the dearer one; return its id."""
        for name, price in (("lamp", PRICE), ("candle", OTHER_PRICE)):
            created = staff.step(
                f"staff: create a product, the {name}",
                "POST",
                "/api/products/",
                json={
                    "name": f"Smoke {name} {self.tag}",
                    "price": price,
                    "category_id": category,
                    "description": "Made by the smoke test.",
                },
                expect=201,
            )
            created.must("the price", created["price"], price)
            self.products.append(int(created["id"]))
        stocked = staff.step(
            f"staff: add {STOCK} units",
            "POST",
            f"/api/products/{self.products[0]}/stock/",
            json={"delta": STOCK, "reason": "receipt"},
            headers={"Idempotency-Key": token_urlsafe()},
            expect=201,
        )
        stocked.must("the stock", stocked["available"], STOCK)
        return self.products[0]

    def browse(self, category: int) -> None:
        """Filter, search, order, and turn the page by its cursor."""
        found = self.shop.step(
            "filter by category and stock",
            "GET",
            "/api/products/",
            params={"category": category, "in_stock": "true"},
        )
        found.must("the prices found", prices(found), [PRICE])
        found = self.shop.step(
            "search", "GET", "/api/products/", params={"search": f"candle {self.tag}"}
        )
        found.must("the prices found", prices(found), [OTHER_PRICE])
        first = self.shop.step(
            "order by price, a page of one",
            "GET",
            "/api/products/",
            params={"category": category, "ordering": "price", "page_size": 1},
        )
        first.must("the prices found", prices(first), [OTHER_PRICE])
        # The next page's address is the public one, which may not lead anywhere from inside.
        public = f"{settings.PUBLIC_URL.rstrip('/')}/"
        first.must("that the next page is public", first["next"].startswith(public), True)
        path = httpx.URL(first["next"]).raw_path.decode()
        second = self.shop.step("turn the page", "GET", path)
        second.must("the prices found", prices(second), [PRICE])
        product = second["results"][0]["id"]
        detail = self.shop.step("look at a product", "GET", f"/api/products/{product}/")
        detail.must("its category", detail["category_id"], category)

    def fill_cart(self, buyer: Shop, product: int) -> None:
        """Add twice, which adds up, change the quantity, and remember the product as well."""
        path, wanted = "/api/cart/items/", {"product_id": product, "quantity": 1}
        buyer.step("add to the cart", "POST", path, json=wanted, expect=201)
        line = buyer.step("add again: it adds up", "POST", path, json=wanted, expect=201)
        line.must("the quantity", line["quantity"], 2)
        line = buyer.step(
            "change the quantity", "PATCH", f"{path}{line['id']}/", json={"quantity": 3}
        )
        line.must("the quantity", line["quantity"], 3)
        cart = buyer.step("look at the cart", "GET", "/api/cart/")
        cart.must("the total", cart["total_amount"], "59.70")
        wish = {"product_id": product}
        buyer.step("put it on the wishlist", "POST", "/api/wishlist/items/", json=wish, expect=201)
        wishlist = buyer.step("look at the wishlist", "GET", "/api/wishlist/")
        wished = [item["product_id"] for item in wishlist["items"]]
        wishlist.must("the products on it", wished, [product])

    def order(self, buyer: Shop, product: int) -> str:
        """Place the order, and send it again as a client does that got no answer."""
        request: dict[str, Any] = {
            "json": {
                "payment_method": "card",
                "payment_token": "tok_success",
                "expected_total": "59.70",
            },
            "headers": {"Idempotency-Key": token_urlsafe()},
            "expect": 201,
        }
        order = buyer.step("place the order", "POST", "/api/orders/", **request)
        order.must("the total", order["total_amount"], "59.70")
        lines = [(line["product_id"], line["quantity"]) for line in order["items"]]
        order.must("the lines", lines, [(product, 3)])
        again = buyer.step("send it again: the same answer", "POST", "/api/orders/", **request)
        again.must("the answer", again.body, order.body)
        again.must("the header", again.headers.get("Idempotent-Replayed"), "true")
        return str(order["id"])

    def look_back(self, buyer: Shop, staff: Shop, product: int, order: str) -> None:
        """Find one order, an empty cart, and three units less."""
        orders = buyer.step("list the orders", "GET", "/api/orders/")
        orders.must("the orders", [one["id"] for one in orders["results"]], [order])
        detail = buyer.step("look at the order", "GET", f"/api/orders/{order}/")
        detail.must("its first price", detail["items"][0]["price"], PRICE)
        cart = buyer.step("the cart is empty", "GET", "/api/cart/")
        cart.must("the cart", cart["items"], [])
        stock = staff.step("staff: the stock went down", "GET", f"/api/products/{product}/stock/")
        stock.must("the stock", stock["available"], STOCK - 3)

    def keep_strangers_out(self, order: str) -> None:
        """Ask for the order as another user: it is not there."""
        account = self.account("stranger")
        created = self.shop.step(
            "register another user", "POST", "/api/auth/register/", json=account, expect=201
        )
        stranger = self.shop.signed_in(created["access"])
        stranger.step(
            "another user's order is not there", "GET", f"/api/orders/{order}/", expect=404
        )

    def ask_too_much(self, buyer: Shop, product: int) -> None:
        """Order one unit more than there is: refused, and nothing is taken."""
        wanted = {"product_id": product, "quantity": STOCK - 3 + 1}
        buyer.step(
            "fill the cart beyond the stock", "POST", "/api/cart/items/", json=wanted, expect=201
        )
        refused = buyer.step(
            "order beyond the stock: refused",
            "POST",
            "/api/orders/",
            json={"payment_method": "card"},
            headers={"Idempotency-Key": token_urlsafe()},
            expect=409,
        )
        refused.must("the code", refused["code"], "insufficient_stock")

    def withdraw(self, staff: Shop, buyer: Shop, product: int) -> None:
        """Take both products off sale: a real shop shall not go on showing them."""
        for key in self.products:
            staff.step(
                "staff: take a product off sale",
                "PATCH",
                f"/api/products/{key}/",
                json={"status": "archived"},
            )
        buyer.step("it is gone for customers", "GET", f"/api/products/{product}/", expect=404)

    def account(self, who: str) -> dict[str, str]:
        """Return a new user's names and random password."""
        username = f"smoke-{who}-{self.tag}"
        password = token_urlsafe(24)
        return {"username": username, "email": f"{username}@example.com", "password": password}

    def log_in(self, step: str, **names: str) -> Answer:
        return self.shop.step(step, "POST", "/api/auth/login/", json=names)


def secret(account: dict[str, str]) -> dict[str, str]:
    """Return what goes with a name to log in."""
    return {"password": account["password"]}


def prices(page: Answer) -> list[str]:
    """Return the prices on a page of products, in its order."""
    return [product["price"] for product in page["results"]]
