"""A swimmer plot: a lane a subject, from the first dose to the end; doses, places, infections and fate along it."""

from collections.abc import Mapping

from markupsafe import Markup

from sevenfold.record.history import History, SubjectHistory
from sevenfold.record.payloads import DoseGiven
from sevenfold.report.svg import Scale, element, figure, group, line, path, text

__all__ = ["swimmer_figure"]

_WIDTH, _LANE = 760.0, 15.0
_MOST = 80


def swimmer_figure(history: History, arms: Mapping[str, tuple[str, str]]) -> str:
    """The plot as SVG.

    Args:
        arms: arm's id -> (label, class that gives it its colour).
    """
    order = list(arms)
    people = sorted(history.used, key=lambda one: (order.index(str(one.arm)), -(one.day(one.ended_at) or 0.0)))[:_MOST]
    last = max((one.day(one.ended_at) or 0.0) for one in people)
    x = Scale(low=0.0, high=max(last, 1.0), start=120.0, end=_WIDTH - 20.0)
    parts, y, before = [], 18.0, ""
    for one in people:
        if one.arm != before:
            y += 20.0
            label, colour = arms[str(one.arm)]
            parts.append(text(10, y + 2, label, class_=f"tick strong {colour}"))
            y, before = y + 2.0, str(one.arm)
        y += _LANE
        parts.append(_lane(one, x, y, arms[str(one.arm)][1]))
    for day in range(0, int(last) + 1, 14):
        parts += [
            line(x(day), 14, x(day), y + 8, "grid"),
            text(x(day), y + 22, f"{day + 1}", anchor="middle", class_="tick"),
        ]
    parts.append(text((x.start + x.end) / 2, y + 38, "study day", anchor="middle", class_="tick"))
    words = (
        "One lane a subject: thick in intensive care, thinner in hospital, thinnest at home; dots are doses, "
        "triangles infections, a cross is death."
    )
    return figure(_WIDTH, y + 46, "Dosing and fate", words, *parts, class_="chart wide")


def _lane(one: SubjectHistory, x: Scale, y: float, colour: str) -> Markup:
    end = one.day(one.ended_at) or 0.0
    left_icu = min(one.day(one.left_icu_at) or end, end)
    left_hospital = min(one.day(one.left_hospital_at) or end, end)
    given = [one.day(at) or 0.0 for at, said in one.doses if isinstance(said, DoseGiven)]
    tip = f"{one.subject}: {len(given)} doses, {one.ended} on day {end + 1:.0f}"
    parts = [text(112, y + 3.5, one.subject, anchor="end", class_="tick small")]
    spans = ((0.0, left_icu, 8.0), (left_icu, left_hospital, 5.0), (left_hospital, end, 2.0))
    parts += [
        element("rect", x=x(a), y=y - h / 2, width=max(x(b) - x(a), 0.0), height=h, class_=f"lane {colour}")
        for a, b, h in spans
        if b > a
    ]
    parts += [element("circle", cx=x(day), cy=y, r=2.4, class_="dose") for day in given]
    for at, said in one.infections:
        place = x(one.day(at) or 0.0)
        parts.append(
            path(
                [(place, y - 5), (place + 4.2, y + 3), (place - 4.2, y + 3)],
                "infection",
                closed=True,
                data_tip=f"{one.subject}: infection ({said.site})",
            )
        )
    if one.ended == "died":
        place = x(end)
        parts += [line(place - 4, y - 4, place + 4, y + 4, "death"), line(place - 4, y + 4, place + 4, y - 4, "death")]
    return group(*parts, data_tip=tip)
