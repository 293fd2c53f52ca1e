"""Arrows along the grid: the cheapest way from one rectangle to another that goes around boxes, turns seldom, and does
not run on top of another arrow.

A* search [hart1968] over cells and directions, one arrow after the other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, final

from sevenfold.report.model_layout import Rect

__all__ = ["Routes"]

Cell = tuple[int, int]
_DIRECTIONS: Final[tuple[Cell, ...]] = ((1, 0), (0, 1), (-1, 0), (0, -1))
_STEP, _TURN, _CROSSING, _SHARED, _CLOSE, _THROUGH = 1.0, 6.0, 4.0, 30.0, 3.0, 0.6


@final
@dataclass(slots=True)
class Routes:
    """A grid on which arrows are laid one after the other.

    Args:
        width, height: of the grid.
        blocked: cells that no arrow may enter.
        costly: cells that are better avoided, such as the inside of a frame.
        used: (cell, is vertical) that an arrow runs along.
    """

    width: int
    height: int
    blocked: set[Cell] = field(default_factory=set)
    costly: set[Cell] = field(default_factory=set)
    used: set[tuple[Cell, bool]] = field(default_factory=set)
    close: set[Cell] = field(default_factory=set)

    def block(self, rect: Rect) -> None:
        """No arrow enters a rectangle, and few run along its edge."""
        self.blocked.update(_cells(rect))
        around = Rect(rect.x - 1, rect.y - 1, rect.width + 2, rect.height + 2)
        self.close.update(set(_cells(around)) - set(_cells(rect)))

    def route(self, source: Rect, target: Rect) -> list[tuple[float, float]] | None:
        """The corners of an arrow from edge to edge [cells], or None if there is no way."""
        ends = {(cell, (-dx, -dy)): (cell, (dx, dy)) for cell, (dx, dy) in _doors(target)}
        waiting: list[tuple[float, float, Cell, Cell]] = []
        best: dict[tuple[Cell, Cell], float] = {}
        came: dict[tuple[Cell, Cell], tuple[Cell, Cell]] = {}
        for cell, out in _doors(source):
            if self._is_free(cell):
                cost = self._price(cell, out)
                best[cell, out] = cost
                heappush(waiting, (cost + _distance(cell, target), cost, cell, out))
        while waiting:
            _, cost, cell, way = heappop(waiting)
            if cost > best[cell, way]:
                continue
            if (cell, way) in ends:
                return self._laid(cell, way, came)
            for step in _DIRECTIONS:
                to = (cell[0] + step[0], cell[1] + step[1])
                if step == (-way[0], -way[1]):
                    continue
                turning = (cell, step)  # a turn happens within a cell, so that an end can be met after it
                if step != way:
                    new = cost + _TURN + _SHARED * (turning in ends)  # a head wants a straight end
                    if new < best.get(turning, float("inf")):
                        best[turning], came[turning] = new, (cell, way)
                        heappush(waiting, (new + _distance(cell, target), new, cell, step))
                elif self._is_free(to):
                    new = cost + self._price(to, step)
                    if new < best.get((to, step), float("inf")):
                        best[to, step], came[to, step] = new, (cell, way)
                        heappush(waiting, (new + _distance(to, target), new, to, step))
        return None

    def _is_free(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self.width and 0 <= cell[1] < self.height and cell not in self.blocked

    def _price(self, cell: Cell, way: Cell) -> float:
        is_vertical = way[0] == 0
        price = (
            _STEP + _SHARED * ((cell, is_vertical) in self.used) + _CROSSING * ((cell, not is_vertical) in self.used)
        )
        return price + _CLOSE * (cell in self.close) + _THROUGH * (cell in self.costly)

    def _laid(
        self, cell: Cell, way: Cell, came: dict[tuple[Cell, Cell], tuple[Cell, Cell]]
    ) -> list[tuple[float, float]]:
        path = [(cell, way)]
        while path[-1] in came:
            path.append(came[path[-1]])
        path.reverse()
        for at, going in path:
            self.used.add((at, going[0] == 0))
        first, last = path[0], path[-1]
        corners = [_edge(first[0], (-first[1][0], -first[1][1]))]
        corners += [_middle(at) for (at, going), (_, then) in pairwise(path) if going != then]
        return [*corners, _edge(last[0], last[1])]


def _cells(rect: Rect) -> Iterator[Cell]:
    return ((x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom))


def _doors(rect: Rect) -> Iterable[tuple[Cell, Cell]]:
    """Cells just outside a rectangle, with the direction that leads away from it; not at its corners."""
    for y in range(rect.y + 1, rect.bottom - 1):
        yield (rect.right, y), (1, 0)
        yield (rect.x - 1, y), (-1, 0)
    for x in range(rect.x + 1, rect.right - 1):
        yield (x, rect.bottom), (0, 1)
        yield (x, rect.y - 1), (0, -1)


def _distance(cell: Cell, rect: Rect) -> float:
    dx = max(rect.x - 1 - cell[0], 0, cell[0] - rect.right)
    dy = max(rect.y - 1 - cell[1], 0, cell[1] - rect.bottom)
    return float(dx + dy)


def _middle(cell: Cell) -> tuple[float, float]:
    return cell[0] + 0.5, cell[1] + 0.5


def _edge(cell: Cell, way: Cell) -> tuple[float, float]:
    """Where a cell meets its neighbour."""
    x, y = _middle(cell)
    return x + way[0] / 2, y + way[1] / 2
