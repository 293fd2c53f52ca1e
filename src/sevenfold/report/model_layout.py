"""Where the boxes of a model's diagram stand: states in frames by group, joined ones side by side, frames in rows.

Everything stands on a grid, so that arrows can be routed along it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from sevenfold.mechanism.arrows import Arrows
from sevenfold.mechanism.page import Page

__all__ = ["CELL", "Layout", "Rect", "laid_out"]

CELL: Final = 12  # pixels; all other lengths here are in cells
BOX_WIDTH, BOX_HEIGHT, PILL_HEIGHT = 13, 6, 5
_BETWEEN, _QUIET, _BUSY = (
    7,
    2,
    4,
)  # room beside boxes; above and below them, more where something is made, given or lost
_TITLE, _PADDING, _GUTTER, _MARGIN = 2, 2, 6, 4
_COLUMNS, _WIDEST = 3, 124


@final
@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of the grid: its first column and row, and how many."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond it."""
        return self.y + self.height


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything stands.

    Args:
        boxes: states and drawn terms by name.
        frames: groups by name.
        members: names of the states and terms within each group.
    """

    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    members: dict[str, tuple[str, ...]]
    width: int
    height: int

    def is_state(self, name: str) -> bool:
        """Whether a box is a state's; else it is a term's."""
        return self.boxes[name].height == BOX_HEIGHT


def laid_out(page: Page, found: Arrows) -> Layout:
    """Places for the states and terms of a page."""
    members = _members(page, found)
    boxes: dict[str, Rect] = {}
    frames: dict[str, Rect] = {}
    x, y, tallest, widest = _MARGIN, _MARGIN, 0, 0
    for group, names in members.items():
        rows = _rows(names, found)
        columns = max(len(row) for row in rows)
        width = 2 * _PADDING + columns * BOX_WIDTH + (columns - 1) * _BETWEEN
        above, below = _room(names, page, found)
        each = above + BOX_HEIGHT + below
        height = _TITLE + len(rows) * each
        if x > _MARGIN and x + width > _WIDEST:
            x, y, tallest = _MARGIN, y + tallest + _GUTTER, 0
        frames[group] = Rect(x, y, width, height)
        for i, row in enumerate(rows):
            top = y + _TITLE + i * each + above
            for k, name in enumerate(row):
                left = x + _PADDING + k * (BOX_WIDTH + _BETWEEN)
                is_pill = name in found.terms
                boxes[name] = Rect(left, top, BOX_WIDTH, PILL_HEIGHT if is_pill else BOX_HEIGHT)
        x, tallest = x + width + _GUTTER, max(tallest, height)
        widest = max(widest, frames[group].right)
    bottom = max((frame.bottom for frame in frames.values()), default=_MARGIN)
    return Layout(boxes=boxes, frames=frames, members=members, width=widest + _MARGIN, height=bottom + _MARGIN)


def _room(names: Sequence[str], page: Page, found: Arrows) -> tuple[int, int]:
    given = {entry.state for entry in page.entries}
    comes = any(name in given for name in names) or any(f.source is None and f.target in names for f in found.flows)
    goes = any(f.target is None and f.source in names for f in found.flows)
    return _BUSY if comes else _QUIET, _BUSY if goes else _QUIET


def _members(page: Page, found: Arrows) -> dict[str, tuple[str, ...]]:
    """States by group in the page's order; a term stands with what it acts on if that is one group, or else with the
    first thing that acts on it. What changes by itself stands alone.
    """
    group = _groups(page, found)
    members: dict[str, list[str]] = {}
    for state in page.states:
        members.setdefault(group[state.name], []).append(state.name)
    alone = []
    for term in found.terms:
        acted = {group[target] for source, target in found.influences if source == term and target in group}
        is_on_terms = any(source == term and target not in group for source, target in found.influences)
        acting = [state.name for state in page.states if (state.name, term) in found.influences]
        if term in found.drivers or not (acted or acting):
            alone.append(term)
        elif len(acted) == 1 and not is_on_terms:
            members[acted.pop()].insert(0, term)
        else:
            members[group[acting[0]] if acting else acted.pop()].append(term)
    if alone:
        members["Over time"] = alone
    return {name: tuple(names) for name, names in members.items()}


def _groups(page: Page, found: Arrows) -> dict[str, str]:
    """The group of every state: as the page says, or else what flows join, named for the first."""
    group = {state.name: state.group for state in page.states}
    for state in page.states:
        joined = {f.source: f.target for f in found.flows} | {f.target: f.source for f in found.flows}
        near = joined.get(state.name)
        if not group[state.name]:
            group[state.name] = (group.get(near) if near else None) or state.what or state.name
    return group


def _rows(names: Sequence[str], found: Arrows) -> list[list[str]]:
    """Chains of flows kept side by side, chains packed into rows."""
    pairs = [(f.source, f.target) for f in found.flows if f.source in names and f.target in names]
    chains: list[list[str]] = []
    for name in names:
        joined = [chain for chain in chains if any((a in chain) != (b in chain) and name in (a, b) for a, b in pairs)]
        kept = [chain for chain in chains if chain not in joined]
        chains = [*kept, [*(member for chain in joined for member in chain), name]]
    chains.sort(key=lambda chain: names.index(chain[0]))
    rows: list[list[str]] = []
    for chain in chains:
        if rows and len(rows[-1]) + len(chain) <= _COLUMNS:
            rows[-1].extend(chain)
        else:
            rows.extend(chain[k : k + _COLUMNS] for k in range(0, len(chain), _COLUMNS))
    return rows
