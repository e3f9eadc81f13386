import pytest

from shop.catalog.html_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Plain text, no markup.", "Plain text, no markup."),
        ("<p>A <strong>light</strong> shirt.</p>", "A light shirt."),
        ("<p>One</p><p>Two<br/>Three</p>", "One\nTwo\nThree"),
        ("<ul><li>Linen</li>\n<li>Cotton</li></ul>", "• Linen\n• Cotton"),
        ("<table><tr><td>Size</td><td>M</td></tr></table>", "Size M"),
        ("Warm &amp; thin,&nbsp;100 &euro;", "Warm & thin, 100 €"),
        ("<p>a\n  b</p>", "a b"),
        ("<style>p {}</style>Text<script>track('x')</script>", "Text"),
        ("5 < 6 and <b>unclosed", "5 < 6 and unclosed"),
        ("</script>stray end tags</div>", "stray end tags"),
    ],
)
def test_html_becomes_the_text_that_a_browser_shows(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>from Word</p><![ if !IE]><p>x</p><![endif]>", "from Word\nx"),
        ("<p>x</p><![gallery]><p>y</p>", "x\ny"),
        ("<p>x</p><![CDATA[y]]>", "x"),
        ("<p>x</p><!", "x"),
        ("a < b & c <3 &#x110000;", "a < b & c <3 \ufffd"),
    ],
)
def test_markup_that_is_none_is_passed_over_as_browsers_do(html: str, text: str) -> None:
    assert plain_text(html) == text


@pytest.mark.parametrize("part", ["<a ", "<!--", "<![", "<b", "&", "<p>", "<table>"])
def test_what_is_never_closed_takes_no_longer_than_it_is_long(part: str) -> None:
    """Read with Python's own parser, the first of these takes minutes."""
    assert isinstance(plain_text(part * 20_000), str)
