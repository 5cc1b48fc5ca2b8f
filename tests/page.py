"""An HTML page taken apart, for tests of what is on it and of what it would load."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "hr", "input"}
LOADING = {"script", "link", "iframe", "object", "embed", "base"}


class Page(HTMLParser):
    """Elements, their attributes and all text; every end tag must match the last open one."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather text."""
        self.text += data

    def images(self) -> list[dict[str, str | None]]:
        """The attributes of every picture."""
        return [attributes for tag, attributes in self.elements if tag == "img"]

    def assert_self_contained(self) -> None:
        """Nothing on the page would be loaded from anywhere, and no script would run."""
        assert not re.search(r"https?:|//\w+\.|url\(|@import|srcset", self.html)
        assert not LOADING & {tag for tag, _ in self.elements}
        named = [(name, value or "") for _, attributes in self.elements for name, value in attributes.items()]
        addresses = [value for name, value in named if name in ("src", "href")]
        assert all(address.startswith(("data:image/", "#")) for address in addresses)
        assert not [name for name, _ in named if name.startswith("on")]
