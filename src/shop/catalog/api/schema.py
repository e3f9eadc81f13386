"""The catalog endpoints as API clients read them."""

from shop.catalog.api.serializers import (
    CategoryFilterSerializer,
    CategorySerializer,
    FilterSerializer,
    ProductSerializer,
)
from shop.catalog.errors import (
    CategoryCycle,
    CategoryExists,
    CategoryGone,
    CategoryInUse,
    ProductExists,
    ProductInUse,
)
from shop.catalog.selectors import BEST_FIRST, DEFAULT_ORDERING, ORDERINGS
from shop.core.openapi import TIME_EXAMPLE, Operation, page_of

CATALOG = "Catalog"
OTHER_ORDERINGS = tuple(name for name in ORDERINGS if name != DEFAULT_ORDERING)
TAGS = {CATALOG: "Categories, which form a tree, and products. Everybody may read."}

CATEGORY = {
    "id": 3,
    "name": "Novels",
    "parent_id": 1,
    "ancestor_ids": [1],
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
PRODUCT = {
    "id": 17,
    "name": "The Waves",
    "slug": "the-waves",
    "description": "A novel in nine interludes.",
    "price": "19.90",
    "status": "active",
    "stock_quantity": 12,
    "track_inventory": True,
    "category_id": 3,
    "category": "Novels",
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
NEW_PRODUCT = {"name": "The Waves", "price": "19.90", "category_id": 3}
CATEGORY_CHANGES = (CategoryExists, CategoryCycle, CategoryGone)
PRODUCT_CHANGES = (ProductExists, CategoryGone)

KEPT_BRIEFLY = ("Cache-Control",)

OPERATIONS = {
    "CategoryListView.get": Operation(
        id="categories_list",
        tag=CATALOG,
        says=KEPT_BRIEFLY,
        summary="List the categories",
        description="Flat; `parent_id` and `ancestor_ids` make the tree. With `parent`, the "
        "children of that category, or with `root` those that have no parent.",
        query=CategoryFilterSerializer,
        returns=CategorySerializer,
        example=page_of(CATEGORY, "/api/categories/"),
        paged=True,
    ),
    "CategoryListView.post": Operation(
        id="categories_create",
        tag=CATALOG,
        summary="Add a category",
        body=CategorySerializer,
        sends={"name": "Novels", "parent_id": 1},
        returns=CategorySerializer,
        example=CATEGORY,
        status=201,
        errors=(CategoryExists, CategoryGone),
        located=True,
    ),
    "CategoryView.get": Operation(
        id="categories_read",
        tag=CATALOG,
        says=KEPT_BRIEFLY,
        summary="Read a category",
        description="With the path that leads to it from the root.",
        returns=CategorySerializer,
        example=CATEGORY,
    ),
    "CategoryView.put": Operation(
        id="categories_replace",
        tag=CATALOG,
        summary="Rename and move a category",
        description="Without a `parent_id` it becomes a root. All that lies below moves with it.",
        body=CategorySerializer,
        sends={"name": "Novels", "parent_id": 1},
        returns=CategorySerializer,
        example=CATEGORY,
        errors=CATEGORY_CHANGES,
    ),
    "CategoryView.patch": Operation(
        id="categories_update",
        tag=CATALOG,
        summary="Rename or move a category",
        description="What is left out stays. All that lies below moves with it.",
        body=CategorySerializer,
        sends={"name": "Novels"},
        returns=CategorySerializer,
        example=CATEGORY,
        errors=CATEGORY_CHANGES,
    ),
    "CategoryView.delete": Operation(
        id="categories_delete",
        tag=CATALOG,
        summary="Delete a category that nothing is in",
        status=204,
        errors=(CategoryInUse,),
    ),
    "ProductListView.get": Operation(
        id="products_list",
        tag=CATALOG,
        says=KEPT_BRIEFLY,
        summary="Find products",
        description="Narrowed by any of the filters; `category` takes in its descendants."
        " Those that are sold without counting are in stock always. Drafts and archived products"
        " are listed for who keeps the catalog alone."
        " A `search` finds words of names and descriptions in any inflection, exact names, and"
        " parts of names; capitals and accents make no difference. It understands"
        ' `"a phrase"`, `-without` and `or`. Its best matches come first: the exact name, names'
        " that begin so, names that have all the words, then descriptions; `-relevance` is this"
        " order, and only a search has it.",
        query=FilterSerializer,
        orderings=(DEFAULT_ORDERING, BEST_FIRST, *OTHER_ORDERINGS),
        returns=ProductSerializer,
        example=page_of(PRODUCT, "/api/products/"),
        paged=True,
    ),
    "ProductListView.post": Operation(
        id="products_create",
        tag=CATALOG,
        summary="Add a product",
        description="Without a `slug` one is made of the name; a number tells it from those that "
        "are taken. A `draft` is not for sale yet.",
        body=ProductSerializer,
        sends=NEW_PRODUCT,
        returns=ProductSerializer,
        example=PRODUCT,
        status=201,
        errors=(ProductExists, CategoryGone),
        located=True,
    ),
    "ProductView.get": Operation(
        id="products_read",
        tag=CATALOG,
        says=KEPT_BRIEFLY,
        summary="Read a product",
        description="With its price and the units that were on the shelf a moment ago.",
        returns=ProductSerializer,
        example=PRODUCT,
    ),
    "ProductView.put": Operation(
        id="products_replace",
        tag=CATALOG,
        summary="Replace what a product says",
        description="Without a `description` it loses its own; without `slug`, `status` or "
        "`track_inventory` it keeps its own.",
        body=ProductSerializer,
        sends=NEW_PRODUCT,
        returns=ProductSerializer,
        example=PRODUCT,
        errors=PRODUCT_CHANGES,
    ),
    "ProductView.patch": Operation(
        id="products_update",
        tag=CATALOG,
        summary="Change some of what a product says",
        description="`archived` takes it off sale: orders keep what they sold, carts and wishlists "
        "say that it is not for sale any more.",
        body=ProductSerializer,
        sends={"price": "17.50"},
        returns=ProductSerializer,
        example={**PRODUCT, "price": "17.50"},
        errors=PRODUCT_CHANGES,
    ),
    "ProductView.delete": Operation(
        id="products_delete",
        tag=CATALOG,
        summary="Delete a product that nobody ever had to do with",
        description="One that is in a cart, on a wishlist, in an order or a review, or whose "
        "stock was ever counted, stays (409).",
        status=204,
        errors=(ProductInUse,),
    ),
}
