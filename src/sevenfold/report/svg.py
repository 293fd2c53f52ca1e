"""Drawing in SVG: elements whose words are escaped by whoever makes them, and scales that turn values into places."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from markupsafe import Markup, escape

__all__ = ["Scale", "element", "figure", "group", "line", "path", "text"]

Value = str | float | int | None


def element(name: str, *children: str, **attributes: Value) -> Markup:
    """An element; ``class_`` is ``class``, an underscore within a name is a hyphen, None leaves an attribute out.

    Args:
        children: elements, and words, which are escaped: only what an element made is taken for markup.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_shown(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup().join(children)
    return Markup(f"<{name}{said}>{inner}</{name}>" if inner else f"<{name}{said}/>")  # noqa: S704


def _shown(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))


def text(x: float, y: float, words: str, *, anchor: str = "start", class_: str = "label", **more: Value) -> Markup:
    """Words at a place."""
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=class_, **more)


def line(x1: float, y1: float, x2: float, y2: float, class_: str, **more: Value) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, **more)


def path(points: Sequence[tuple[float, float]], class_: str, *, closed: bool = False, **more: Value) -> Markup:
    """Straight lines from point to point."""
    d = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + ("Z" if closed else "")
    return element("path", d=d, class_=class_, **more)


def group(*children: str, **attributes: Value) -> Markup:
    """Elements together."""
    return element("g", *children, **attributes)


def figure(width: float, height: float, title: str, description: str, *children: str, class_: str = "chart") -> Markup:
    """A whole drawing, with a name and a description for those who don't see it."""
    name = "t-" + _slug(title)
    return element(
        "svg",
        element("title", title, id=name),
        element("desc", description, id=name + "-d"),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{name} {name}-d",
        class_=class_,
        xmlns="http://www.w3.org/2000/svg",
    )


def _slug(words: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in words.lower())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From values to places along one axis.

    Args:
        low, high: values at the ends.
        start, end: places of the ends.
        is_log: whether equal ratios are equal distances.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; values beyond the ends are put at them."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values within the ends."""
        if self.is_log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            spread = self.high / self.low
            steps = (1, 2, 5) if spread < 300 else (1, 3) if spread < 3000 else (1,)
            found = [step * 10.0**decade for decade in decades for step in steps]
        else:
            raw = (self.high - self.low) / about
            size = 10.0 ** math.floor(math.log10(raw))
            step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
            found = [step * k for k in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [value for value in found if self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)]
