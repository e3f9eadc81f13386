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
