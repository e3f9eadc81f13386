import pytest

from shop.catalog.slugs import MAX_SLUG, slug_of


@pytest.mark.parametrize(
    ("texts", "slug"),
    [
        (["linen-shirt", "M", "Sky Blue"], "linen-shirt-m-sky-blue"),
        (["café", "½ kg", "10/12"], "café-1-2-kg-10-12"),
        (["C++"], "c-plus-plus"),
        (["C#"], "c-sharp"),
        (["C"], "c"),
        (["lens", "+1.00"], "lens-plus-1-00"),
        (["lens", "-1.00"], "lens-minus-1-00"),
        (["ring", "♂"], "ring-male"),
        (["pin", "🐶"], "pin-dog-face"),
        (["cup", "A+"], "cup-a-plus"),
        (["Rock & Roll"], "rock-and-roll"),
        (["リネンシャツ 白"], "リネンシャツ-白"),
        (["!!!"], "product"),
        (["x" * 300], "x" * MAX_SLUG),
    ],
)
def test_a_slug_keeps_what_tells_names_apart(texts: list[str], slug: str) -> None:
    assert slug_of(*texts) == slug
