"""The order endpoints as API clients read them. What changes orders is in checkout."""

from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.orders.api.serializers import (
    OrderFilterSerializer,
    OrderItemSerializer,
    OrderSerializer,
    StaffOrderRowSerializer,
)

ORDERS = "Orders"
STAFF = "Orders for staff"
TAGS = {
    ORDERS: """\
An order is made of the cart and keeps the names and prices of that moment. Its states:

pending → paid → shipped → delivered; pending or paid → cancelled;
paid, shipped or delivered → refunded. Anything else is refused (409).

`payment_status` is that of its newest payment; it says whether the money of an order that was
cancelled or refunded is back (`refunded`) or has to go back still (`refund_due`).""",
    STAFF: "Everybody's orders, for those who look after them.",
}

LINE = {
    "id": UUID_EXAMPLE,
    "product_id": 17,
    "product_name": "The Waves",
    "quantity": 2,
    "price": "19.90",
}
ORDER = {
    "id": UUID_EXAMPLE,
    "order_status": "pending",
    "payment_status": "pending",
    "total_amount": "39.80",
    "currency": "EUR",
    "items": [LINE],
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
IN_DETAIL = {"items", "payment_status"}
STAFF_ROW = {"user_id": UUID_EXAMPLE, **{n: ORDER[n] for n in ORDER if n not in IN_DETAIL}}

OPERATIONS = {
    "OrderListView.get": Operation(
        id="orders_list",
        tag=ORDERS,
        summary="List the caller's orders, the newest first",
        description="With their lines.",
        returns=OrderSerializer,
        example=page_of(ORDER, "/api/orders/"),
        paged=True,
    ),
    "OrderView.get": Operation(
        id="orders_read",
        tag=ORDERS,
        summary="Read an order",
        description="With its lines, at the names and prices of the purchase.",
        returns=OrderSerializer,
        example=ORDER,
    ),
    "OrderItemListView.get": Operation(
        id="orders_items_list",
        tag=ORDERS,
        summary="List the lines of an order",
        description="As they were sold, without pages.",
        returns=OrderItemSerializer(many=True),
        example=[LINE],
    ),
    "StaffOrderListView.get": Operation(
        id="staff_orders_list",
        tag=STAFF,
        summary="Find orders of all users, the newest first",
        description="With `user_id` one shard is asked, without it all; X-Shards-Asked says.",
        query=OrderFilterSerializer,
        returns=StaffOrderRowSerializer,
        example=page_of(STAFF_ROW, "/api/staff/orders/"),
        paged=True,
        says=("X-Shards-Asked",),
    ),
}
