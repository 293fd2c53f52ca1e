"""The flow of participants as CONSORT 2025 draws it: screened, excluded with reasons, randomised, and what became of
each arm.
"""

from collections.abc import Mapping

from sevenfold.record.flow import ArmFlow, Flow
from sevenfold.report.svg import element, figure, group, line, text

__all__ = ["flow_figure"]

_LINE = 15.0
_MOST_REASONS = 8


def flow_figure(flow: Flow, n_analysed: Mapping[str, int]) -> str:
    """The diagram as SVG.

    Args:
        n_analysed: arm -> subjects that the primary analysis rests on.
    """
    reasons = _reasons(flow)
    arms = list(flow.arms.values())
    width = max(760.0, 250.0 * len(arms) + 20.0)
    centre = width / 2
    excluded_height = _LINE * (len(reasons) + 1) + 18.0
    top = 10.0
    parts = [_box(centre - 150, top, 300, [f"Assessed for eligibility (n = {flow.n_screened})"])]
    excluded_top = top + 48.0
    excluded_left = centre + 30.0
    parts.append(
        _box(excluded_left, excluded_top, width - excluded_left - 10.0, [f"Excluded (n = {flow.n_excluded})", *reasons])
    )
    randomised_top = excluded_top + excluded_height + 22.0
    parts += [
        line(centre, top + 34, centre, randomised_top, "flow"),
        line(centre, excluded_top + 14, excluded_left, excluded_top + 14, "flow"),
        _box(centre - 150, randomised_top, 300, [f"Randomised (n = {flow.n_randomised})"]),
    ]
    arms_top = randomised_top + 74.0
    span = (width - 20.0) / len(arms)
    bar = randomised_top + 54.0
    bottom = arms_top
    places = [10.0 + span * (k + 0.5) for k in range(len(arms))]
    parts += [line(centre, randomised_top + 34, centre, bar, "flow"), line(places[0], bar, places[-1], bar, "flow")]
    for place, (name, arm) in zip(places, flow.arms.items(), strict=True):
        title, lines = _wrapped(arm.label, 28), _arm_lines(arm, n_analysed.get(name))
        parts += [
            line(place, bar, place, arms_top, "flow"),
            _box(place - span / 2 + 6, arms_top, span - 12, [*title, *lines], n_strong=len(title)),
        ]
        bottom = max(bottom, arms_top + _LINE * (len(title) + len(lines)) + 18)
    words = f"{flow.n_screened} screened, {flow.n_excluded} excluded, {flow.n_randomised} randomised; " + "; ".join(
        f"{arm.label}: {arm.n_randomised} randomised, "
        + ", ".join(f"{n} {what}" for what, n in arm.dispositions.items())
        for arm in arms
    )
    return figure(width, bottom + 8, "Flow of participants", words, *parts, class_="chart wide")


def _reasons(flow: Flow) -> list[str]:
    listed = list(flow.not_eligible.items())
    rows = [f"{count}  on “{_short(reason)}”" for reason, count in listed[:_MOST_REASONS]]
    rest = sum(count for _, count in listed[_MOST_REASONS:])
    if rest:
        rows.append(f"{rest}  other criteria not met")
    if flow.n_declined:
        rows.append(f"{flow.n_declined}  declined to take part")
    if flow.n_not_randomised:
        rows.append(f"{flow.n_not_randomised}  eligible, not randomised")
    return rows


def _short(reason: str) -> str:
    return reason if len(reason) <= 42 else reason[:40].rstrip() + "…"


def _arm_lines(arm: ArmFlow, n_analysed: int | None) -> list[str]:
    lines = [f"Randomised (n = {arm.n_randomised})", f"Received at least one dose (n = {arm.n_dosed})"]
    if arm.n_stopped_dosing:
        lines.append(f"Stopped dosing early (n = {arm.n_stopped_dosing})")
    if arm.n_withheld:
        lines.append(f"Product withheld behind the blind (n = {arm.n_withheld})")
    lines += [f"{what[0].upper()}{what[1:]} (n = {n})" for what, n in arm.dispositions.items()]
    return lines if n_analysed is None else [*lines, f"Analysed (n = {n_analysed})"]


def _wrapped(words: str, width: int) -> list[str]:
    lines, current = [], ""
    for word in words.split():
        if current and len(current) + len(word) + 1 > width:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    return [*lines, current]


def _box(x: float, y: float, width: float, lines: list[str], *, n_strong: int = 1) -> str:
    height = _LINE * len(lines) + 18.0
    words = [
        text(x + 10, y + 21 + _LINE * k, words, class_="box-strong" if k < n_strong else "box-text")
        for k, words in enumerate(lines)
    ]
    return group(element("rect", x=x, y=y, width=width, height=height, rx=5, class_="box"), *words)
