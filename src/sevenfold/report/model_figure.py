"""A model's diagram: states as boxes in frames, what moves as solid arrows, what acts as dashed ones.

One SVG that opens anywhere, light and dark as the reader's system is.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

from sevenfold.mechanism.arrows import Arrows, Flow, arrows
from sevenfold.mechanism.direction import Direction
from sevenfold.mechanism.notation import Letters, letters
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.trace import Whole
from sevenfold.report.model_layout import CELL, Layout, Rect, laid_out
from sevenfold.report.model_routes import Routes
from sevenfold.report.svg import element, figure, group, text

__all__ = ["model_figure"]

_STYLE: Final = """
.model{--paper:#fff;--ink:#1d2733;--soft:#5b6876;--edge:#8fa1b3;--box:#fff;--flow:#1f4e79;--act:#a2541a;--pill:#fff4e5;
background:var(--paper);font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.model .paper{fill:var(--paper)}
.model .frame{stroke:var(--edge);stroke-opacity:.45;rx:10px}
.model .f0{fill:#e8f1fa}.model .f1{fill:#eef6ea}.model .f2{fill:#fdf3e3}.model .f3{fill:#f4ecf8}.model .f4{fill:#eaf5f5}
.model .f5{fill:#f6efea}
.model .box{fill:var(--box);stroke:var(--edge);stroke-width:1.2}
.model .pill{fill:var(--pill);stroke:var(--act);stroke-width:1.2}
.model .driver{stroke-dasharray:2 3}
.model text{fill:var(--ink)}
.model .title{font-size:20px;font-weight:600}
.model .group{font-size:13px;font-weight:600;fill:var(--soft)}
.model .letter{font-size:14px;font-weight:600}
.model .what{font-size:11px;fill:var(--ink)}
.model .rate{font-size:11px;font-style:italic;fill:var(--flow);paint-order:stroke;stroke:var(--paper);stroke-width:3px;
stroke-linejoin:round;stroke-opacity:.75}
.model .key{font-size:12px;fill:var(--soft)}
.model .dose{font-size:11px;font-weight:600;fill:var(--flow)}
.model .flow{fill:none;stroke:var(--flow);stroke-width:2}
.model .raises,.model .lowers,.model .either{fill:none;stroke:var(--act);stroke-width:1.4;stroke-dasharray:5 4}
.model .flowhead{fill:var(--flow)}.model .raiseshead,.model .lowershead{fill:var(--act)}
.model .eitherhead{fill:var(--paper);stroke:var(--act);stroke-width:1.2}
@media (prefers-color-scheme:dark){
.model{--paper:#12171d;--ink:#e7edf3;--soft:#a9b6c3;--edge:#5d6f82;--box:#1c242d;--flow:#7db8f0;--act:#f0a868;
--pill:#33261a}
.model .f0{fill:#17222d}.model .f1{fill:#18231a}.model .f2{fill:#262014}.model .f3{fill:#221a28}.model .f4{fill:#152424}
.model .f5{fill:#251e19}}
"""
Pair = tuple[str, str]
_HEADS: Final = {  # how many pixels of the line the head takes, and its shape within 8 by 8
    "flow": (7, "M0,0L8,4L0,8Z"),
    "raises": (7, "M0,0.5L7,4L0,7.5Z"),
    "lowers": (3, "M0,0H2.5V8H0Z"),
    "either": (7, "M0,4L3.5,1L7,4L3.5,7Z"),
}
_CLASS: Final = {Direction.RAISES: "raises", Direction.LOWERS: "lowers", Direction.EITHER: "either"}
_TOP, _KEY = 48, 54  # pixels for the title above and for the key below


def model_figure(whole: Whole) -> str:
    """The diagram of a traced page, as SVG."""
    page, found, called = whole.traced.page, arrows(whole), letters(whole)
    place = laid_out(page, found)
    routes, acts = _grid(place, page, found), _acts(place, found)
    body = [
        *(_frame(name, rect, k) for k, (name, rect) in enumerate(place.frames.items())),
        *(_flow(flow, place, routes) for flow in found.flows if flow.source and flow.target),
        *_influences(acts, place, routes),
        *(_box(name, place.boxes[name], whole, called, found) for name in place.boxes),
        *(_ends(name, rect, page, found) for name, rect in place.boxes.items()),
    ]
    width, height = place.width * CELL, place.height * CELL + _TOP + _KEY
    return figure(
        width, height, page.title, _described(page, found, called),
        element("style", _STYLE), _heads(),
        element("rect", x=0, y=0, width=width, height=height, class_="paper"),
        text(4 * CELL, 36, page.title, class_="title"),
        group(*body, transform=f"translate(0 {_TOP})"),
        group(*_key(found, set(acts.values())), transform=f"translate({4 * CELL} {place.height * CELL + _TOP + 8})"),
        class_="model",
    )  # fmt: skip


def _grid(place: Layout, page: Page, found: Arrows) -> Routes:
    routes = Routes(place.width, place.height)
    for frame in place.frames.values():
        inside = Rect(frame.x, frame.y, frame.width, frame.height)
        routes.costly.update((x, y) for x in range(inside.x, inside.right) for y in range(inside.y, inside.bottom))
        routes.blocked.update((x, frame.y + dy) for x in range(frame.x + 1, frame.x + 12) for dy in (0, 1))
    doses = {entry.state for entry in page.entries}
    for name, rect in place.boxes.items():
        routes.block(rect)
        if any(f.target == name and f.source is None for f in found.flows):
            routes.blocked.update((x, rect.y - dy) for x in range(rect.x + 1, rect.x + 5) for dy in (1, 2, 3))
        if name in doses:
            routes.blocked.update((x, rect.y - dy) for x in range(rect.right - 6, rect.right - 1) for dy in (1, 2, 3))
        if any(f.source == name and f.target is None for f in found.flows):
            routes.blocked.update((x, rect.bottom + dy) for x in range(rect.x + 6, rect.x + 12) for dy in (0, 1, 2))
    return routes


def _frame(name: str, rect: Rect, k: int) -> str:
    x, y = rect.x * CELL, rect.y * CELL
    return group(
        element("rect", x=x, y=y, width=rect.width * CELL, height=rect.height * CELL, rx=10, class_=f"frame f{k % 6}"),
        text(x + 14, y + 20, name, class_="group"),
    )


def _box(name: str, rect: Rect, whole: Whole, called: Letters, found: Arrows) -> str:
    page, terms = whole.traced.page, whole.traced.graph.terms.values()
    is_term = name in found.terms
    what = next(item.what for item in (terms if is_term else page.states) if item.name == name) or name
    x, y, width, height = rect.x * CELL, rect.y * CELL, rect.width * CELL, rect.height * CELL
    driver = " driver" if name in found.drivers else ""
    lines = textwrap.wrap(what, 22 if is_term else 25)
    n = 2 if is_term else 3
    if len(lines) > n:
        lines = [*lines[: n - 1], textwrap.shorten(" ".join(lines[n - 1 :]), 24, placeholder="…")]
    first = y + 32 + (height - 34 - 13 * len(lines)) / 2
    shape = element(
        "rect", x=x, y=y, width=width, height=height, rx=height / 2 if is_term else 7,
        class_=f"pill{driver}" if is_term else "box",
    )  # fmt: skip
    return group(
        shape,
        text(x + width / 2, y + 18, called.by_name[name], anchor="middle", class_="letter"),
        *(text(x + width / 2, first + 13 * k, line, anchor="middle", class_="what") for k, line in enumerate(lines)),
    )


def _flow(flow: Flow, place: Layout, routes: Routes) -> str:
    assert flow.source is not None
    assert flow.target is not None
    corners = routes.route(place.boxes[flow.source], place.boxes[flow.target])
    if corners is None:
        return group()
    longest = max(range(len(corners) - 1), key=lambda k: _length(corners[k], corners[k + 1]))
    (x1, y1), (x2, y2) = corners[longest], corners[longest + 1]
    is_level = y1 == y2
    x, y = (x1 + x2) / 2 * CELL, (y1 + y2) / 2 * CELL
    x, y = (x, y - 6 if x1 < x2 else y + 13) if is_level else (x + 5, y + 4)  # there above the line, back below it
    words = text(x, y, _short(flow.by, 13), anchor="middle" if is_level else "start", class_="rate")
    return group(_drawn(corners, "flow"), words)


def _acts(place: Layout, found: Arrows) -> dict[Pair, Direction]:
    """The dashed arrows; what acts on a whole group points at its frame, and a whole group acts from its frame. Between
    boxes that a flow joins there is none.
    """
    joined = {frozenset((f.source, f.target)) for f in found.flows}
    acts = {pair: found.influences[pair] for pair in found.influences if frozenset(pair) not in joined}
    return _gathered(_gathered(acts, place, end=1), place, end=0)


def _influences(acts: dict[Pair, Direction], place: Layout, routes: Routes) -> list[str]:
    shapes = {**{_framed(name): rect for name, rect in place.frames.items()}, **place.boxes}
    drawn = []
    for source, target in sorted(acts, key=lambda pair: _apart(shapes[pair[0]], shapes[pair[1]])):
        corners = routes.route(shapes[source], shapes[target])
        if corners is not None:
            drawn.append(_drawn(corners, _CLASS[acts[source, target]]))
    return drawn


def _gathered(acts: dict[Pair, Direction], place: Layout, *, end: int) -> dict[Pair, Direction]:
    """One arrow at a frame in place of one at each of its states; ``end`` 1 gathers what is acted on, 0 what acts."""
    found = dict(acts)
    for name, members in place.members.items():
        n_states = sum(place.is_state(member) for member in members)
        for other in dict.fromkeys(pair[1 - end] for pair in acts):
            ours = [pair for pair in acts if pair[1 - end] == other and pair[end] in members]
            if other not in members and len(ours) == n_states > 1:
                directions = {found.pop(pair) for pair in ours}
                pair = (other, _framed(name)) if end else (_framed(name), other)
                found[pair] = directions.pop() if len(directions) == 1 else Direction.EITHER
    return found


def _framed(group_name: str) -> str:
    return f"[{group_name}]"


def _drawn(corners: Sequence[tuple[float, float]], class_: str) -> str:
    """A line with rounded corners and a head."""
    points = [(x * CELL, y * CELL) for x, y in corners]
    (x, y), (before_x, before_y) = points[-1], points[-2]
    away = _length(points[-1], points[-2]) or 1.0
    head = _HEADS[class_][0]  # the head takes the last pixels
    points[-1] = (x + (before_x - x) / away * head, y + (before_y - y) / away * head)
    d = f"M{points[0][0]:g},{points[0][1]:g}"
    for k in range(1, len(points) - 1):
        (x0, y0), (x1, y1), (x2, y2) = points[k - 1], points[k], points[k + 1]
        a, b = min(6.0, _length((x0, y0), (x1, y1)) / 2), min(6.0, _length((x1, y1), (x2, y2)) / 2)
        near = _towards((x1, y1), (x0, y0), a)
        far = _towards((x1, y1), (x2, y2), b)
        d += f"L{near[0]:g},{near[1]:g}Q{x1:g},{y1:g} {far[0]:g},{far[1]:g}"
    d += f"L{points[-1][0]:g},{points[-1][1]:g}"
    return element("path", d=d, class_=class_, marker_end=f"url(#{class_}head)")


def _towards(start: tuple[float, float], end: tuple[float, float], by: float) -> tuple[float, float]:
    length = _length(start, end) or 1.0
    return start[0] + (end[0] - start[0]) / length * by, start[1] + (end[1] - start[1]) / length * by


def _length(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _apart(a: Rect, b: Rect) -> float:
    return abs(a.x + a.width / 2 - b.x - b.width / 2) + abs(a.y + a.height / 2 - b.y - b.height / 2)


def _ends(name: str, rect: Rect, page: Page, found: Arrows) -> str:
    """Short arrows for what is made, given and lost."""
    made = [f.by for f in found.flows if f.target == name and f.source is None]
    lost = [f.by for f in found.flows if f.source == name and f.target is None]
    routes = [entry.route for entry in page.entries if entry.state == name]
    said: list[str] = []
    for by, x, y, class_, is_left in (
        (_short(" + ".join(made), 11 if routes else 22), rect.x + 1.5, rect.y, "rate", False),
        (", ".join(routes), rect.right - 1.5, rect.y, "dose", True),
        (_short(" + ".join(lost), 18), rect.x + 6.5, rect.bottom + 2.5, "rate", False),
    ):
        if by:
            side = -0.6 if is_left else 0.6
            height = y - 1.6 if y == rect.y else y - 0.4
            said.append(_drawn([(x, y - 2.5), (x, y)], "flow"))
            anchor = "end" if is_left else "start"
            said.append(text((x + side) * CELL, height * CELL, by, anchor=anchor, class_=class_))
    return group(*said)


def _short(words: str, most: int) -> str:
    """Long rates (of pages without letters) are cut; the printed equations have them whole."""
    return words if len(words) <= most else words[: most - 1] + "…"


def _heads() -> str:
    heads = [
        element(
            "marker", element("path", d=shape, class_=f"{name}head"), id=f"{name}head", viewBox="0 0 8 8", refX=0,
            refY=4, markerWidth=8, markerHeight=8, markerUnits="userSpaceOnUse", orient="auto",
        )
        for name, (_, shape) in _HEADS.items()
    ]  # fmt: skip
    return element("defs", *heads)


def _key(found: Arrows, used: set[Direction]) -> list[str]:
    """What the signs mean; only those that are there."""
    said = [("flow", "moves, with its rate; from or to nothing: made or lost")]
    said += [("raises", "raises")] * (Direction.RAISES in used) + [("lowers", "lowers")] * (Direction.LOWERS in used)
    said += [("either", "acts on, either way")] * (Direction.EITHER in used)
    out, x = [], 0.0
    for class_, words in said:
        out.append(_drawn([(x / CELL, 1.0), ((x + 34) / CELL, 1.0)], class_))
        out.append(text(x + 42, 16, words, class_="key"))
        x += 42 + 6.4 * len(words) + 24
    if found.terms:
        dotted = "; dotted: by time alone" if found.drivers else ""
        out.append(element("rect", x=x, y=4, width=34, height=16, rx=8, class_="pill"))
        out.append(text(x + 42, 16, f"worked out from others{dotted}", class_="key"))
    return out


def _described(page: Page, found: Arrows, called: Letters) -> str:
    """The diagram in words, for those who don't see it."""
    what = {state.name: f"{state.what} ({called.by_name[state.name]})" for state in page.states}
    moves = [f"{what[f.source]} to {what[f.target]}" for f in found.flows if f.source and f.target]
    verb = {Direction.RAISES: "raises", Direction.LOWERS: "lowers", Direction.EITHER: "acts on"}
    acts = [
        f"{what.get(source, source)} {verb[way]} {what.get(target, target)}"
        for (source, target), way in found.influences.items()
    ]
    said = [f"States: {'; '.join(what.values())}."]
    said += [f"Moves: {'; '.join(moves)}."] if moves else []
    said += [f"Influences: {'; '.join(acts)}."] if acts else []
    return " ".join(said)
