"""The tables that are seeded, in the order that their foreign keys ask for, and their columns."""

from typing import NamedTuple

from django.db.models import Model

from shop.accounts.models import Identity, Mark, User
from shop.carts.models import CartItem, ShoppingCart
from shop.catalog.models import Category, Product
from shop.core.models import OutboxEvent
from shop.inventory.models import Stock, StockMovement
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from shop.reviews.models import Review
from shop.wishlists.models import Wishlist, WishlistItem


class Table(NamedTuple):
    """A model and the columns of its lines, in their order."""

    model: type[Model]
    columns: tuple[str, ...]

    @property
    def copy(self) -> str:
        """Return the statement that reads lines into it."""
        names = ", ".join(self.columns)
        return f"COPY {self.model._meta.db_table} ({names}) FROM STDIN"


def _table(model: type[Model], columns: str) -> Table:
    return Table(model, tuple(columns.split()))


# Reference tables come first: Citus writes them on all nodes, and refuses to once rows of tables
# that refer to them were written in parallel in the same transaction.
CATEGORY = _table(Category, "id name parent_id ancestor_ids created_at updated_at")
PRODUCT = _table(
    Product,
    "id name slug description price stock_quantity category_id created_at updated_at",
)
IDENTITY = _table(Identity, "value user_id")
MARK = _table(Mark, "value user_id")
USER = _table(
    User,
    "id username email password first_name last_name role is_active created_at updated_at",
)
STOCK = _table(Stock, "product_id available updated_at")
MOVEMENT = _table(StockMovement, "product_id id delta reason order_id created_at")
ORDER = _table(Order, "user_id id created_at cart_id order_status total_amount updated_at")
ORDER_ITEM = _table(
    OrderItem, "user_id id created_at order_id product_id product_name quantity price"
)
ORDER_EVENT = _table(OrderEvent, "user_id id created_at order_id status details")
PAYMENT = _table(
    Payment,
    "user_id id created_at order_id payment_method token provider_ref amount status updated_at",
)
OUTBOX = _table(
    OutboxEvent,
    "user_id id created_at topic payload published_at waiting_for due_at handovers request_id",
)
REVIEW = _table(
    Review,
    "product_id id user_id author_name rating comment verified_purchase created_at updated_at",
)
WISHLIST = _table(Wishlist, "user_id id created_at")
WISHLIST_ITEM = _table(WishlistItem, "user_id id created_at wishlist_id product_id")
CART = _table(ShoppingCart, "user_id id created_at updated_at")
CART_ITEM = _table(CartItem, "user_id id created_at cart_id product_id quantity updated_at")

TABLES = (
    CATEGORY,
    PRODUCT,
    IDENTITY,
    MARK,
    USER,
    STOCK,
    MOVEMENT,
    ORDER,
    ORDER_ITEM,
    ORDER_EVENT,
    PAYMENT,
    OUTBOX,
    REVIEW,
    WISHLIST,
    WISHLIST_ITEM,
    CART,
    CART_ITEM,
)
