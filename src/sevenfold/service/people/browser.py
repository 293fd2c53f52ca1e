"""What a browser calls itself, in two words: ``Firefox, Linux``. Anybody can say so; it proves nothing."""

from typing import Final

__all__ = ["browser_of"]

_BROWSERS: Final = (  # the first that is named; most name the others after themselves
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_of(agent: str | None) -> str | None:
    """Browser and system from the header ``User-Agent``; None where neither is one that people know."""
    said = agent or ""
    found = [next((name for sign, name in known if sign in said), None) for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or None
