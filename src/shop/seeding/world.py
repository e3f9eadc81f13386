"""The made-up shop as a whole: everything that the rows are written from."""

from dataclasses import dataclass, field

from shop.seeding import drawing, habits, ledger
from shop.seeding import sales as selling
from shop.seeding.plan import Plan


@dataclass(slots=True)
class World:
    """People, products and what happened between them, referring to each other by index.

    The database has the last word on names and on the ids of the catalog.
    """

    plan: Plan
    products: list[drawing.Product]
    people: list[drawing.Person]
    sales: list[selling.Sale]
    shelves: list[ledger.Shelf]
    reviews: list[habits.Review]
    wishes: list[habits.Wish]
    carts: list[habits.Cart]
    category_ids: list[int] = field(default_factory=list)  # by index of goods.KINDS
    first_product_id: int = 1

    def product_id(self, index: int) -> int:
        """Return the id that a product has in the database."""
        return self.first_product_id + index

    @property
    def size(self) -> int:
        """Return the products, users and orders together: what the progress bar counts."""
        return len(self.products) + len(self.people) + len(self.sales)


def draw(plan: Plan) -> World:
    """Return the world of this plan: the same one each time."""
    products, people = drawing.products(plan), drawing.people(plan)
    sales = selling.sales(plan, people, products)
    return World(
        plan=plan,
        products=products,
        people=people,
        sales=sales,
        shelves=ledger.shelves(products, sales),
        reviews=habits.reviews(plan, sales),
        wishes=habits.wishes(plan, people, products),
        carts=habits.carts(plan, people, products),
    )
