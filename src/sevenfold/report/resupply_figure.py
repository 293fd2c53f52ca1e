"""What a site is expected to need of a product, against the vials it has: median and a band, day by day."""

from collections.abc import Callable, Sequence
from typing import Final

from sevenfold.report.svg import Scale, figure, line, path, text

__all__ = ["resupply_figure"]

_WIDTH, _HEIGHT = 520.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 16.0, 34.0, 38.0
_COLOURS: Final = ("arm-a", "arm-b", "arm-c", "arm-d", "arm-e")


def resupply_figure(
    label: str,
    by_day: Sequence[Sequence[float]],
    usable: Sequence[int],
    lead_days: int,
    number: int,
    say: Callable[..., str],
) -> str:
    """The figure as SVG.

    Args:
        label: the product's.
        by_day: of every day from now, the 5 %, 50 % and 95 % quantiles of the vials needed by its end.
        usable: of every day, the vials now in stock that have not expired by then.
        lead_days: until an order of today is delivered.
        number: of the product, which gives the colour.
        say: words in the reader's language.
    """
    n_days, colour = len(usable), _COLOURS[number % len(_COLOURS)]
    most = max([row[2] for row in by_day] + [*usable, 1])
    x = Scale(low=0.0, high=float(n_days), start=_LEFT, end=_WIDTH - _RIGHT)
    y = Scale(low=0.0, high=1.08 * most, start=_HEIGHT - _BOTTOM, end=_TOP)
    band = [(x(day + 1), y(row[0])) for day, row in enumerate(by_day)]
    band += [(x(day + 1), y(row[2])) for day, row in reversed(list(enumerate(by_day)))]
    stock = [(x(day + end), y(n)) for day, n in enumerate(usable) for end in (0, 1)]
    parts: list[str] = [line(x.start, y.start, x.end, y.start, "axis")]
    for tick in y.ticks(4):
        parts += [
            line(x.start, y(tick), x.end, y(tick), "grid"),
            text(x.start - 6, y(tick) + 4, f"{tick:g}", anchor="end", class_="tick"),
        ]
    parts += [text(x(tick), y.start + 16, f"{tick:g}", anchor="middle", class_="tick") for tick in x.ticks(6)]
    parts += [
        text(x.end, y.start + 32, say("days from now"), anchor="end", class_="tick"),
        path(band, f"area {colour}", closed=True),
        path([(x(0), y(0)), *((x(day + 1), y(row[1])) for day, row in enumerate(by_day))], f"mean {colour}"),
        path(stock, "axis stock"),
        line(x(lead_days), y.start, x(lead_days), y.end, "reference"),
        text(x(lead_days) + 4, y.end + 10, say("next delivery"), class_="tick halo"),
        line(x.start, 12, x.start + 20, 12, f"mean {colour}"),
        text(x.start + 26, 16, say("vials needed: median, and 5 to 95 %"), class_="tick"),
        line(x.start + 270, 12, x.start + 290, 12, "axis stock"),
        text(x.start + 296, 16, say("usable stock of today"), class_="tick"),
    ]
    last = by_day[-1]
    words = f"{say('vials needed: median, and 5 to 95 %')}: {last[1]:g} ({last[0]:g}, {last[2]:g})"
    title = say("Need of {product}", product=label)
    return figure(_WIDTH, _HEIGHT, title, words, *parts, class_="chart middling")
