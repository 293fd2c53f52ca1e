"""How far outcomes that are not known could move a difference of proportions: its worst and its best case.

An event that was seen counts, also of somebody who was lost later; who was lost without it may have had it, and is in
nobody's share. Who is left in then depends on the outcome: shares of a group come out too high, by more the more were
lost. The two bounds hold whatever became of the lost.

Source: docs/theory/estimands.md.
"""

from typing import Final

from sevenfold.analysis.trial.response import Responses
from sevenfold.protocol.endpoint import Estimand, EventEndpoint
from sevenfold.protocol.protocol import Protocol

__all__ = ["unknown_outcomes"]

_NOT_UNKNOWN: Final = ("", "dead", "a covariate is not known")  # those who are out for another reason


def unknown_outcomes(estimand: Estimand, found: Responses, protocol: Protocol) -> tuple[str, ...]:
    """What to say of the outcomes that are not known, by group, with the bounds; nothing where all are known."""
    sides = []
    for members in (found.is_active, ~found.is_active):
        n_unknown = sum(bool(mine) and why not in _NOT_UNKNOWN for mine, why in zip(members, found.why, strict=True))
        used = members & found.is_used
        sides.append((int(found.value[used].sum()), int(used.sum()), n_unknown))
    (events_a, used_a, unknown_a), (events_b, used_b, unknown_b) = sides
    n_a, n_b = used_a + unknown_a, used_b + unknown_b
    if not unknown_a + unknown_b or not n_a or not n_b:
        return ()
    low = events_a / n_a - (events_b + unknown_b) / n_b
    high = (events_a + unknown_a) / n_a - events_b / n_b
    label_a, label_b = map(protocol.group_label, estimand.compare)
    who = f"{unknown_a} of {n_a} ({label_a}) and {unknown_b} of {n_b} ({label_b})"
    bounds = f"whatever it was, the difference lies between {low:+.3f} and {high:+.3f}."
    endpoint = protocol.endpoint(estimand.endpoint)
    if not isinstance(endpoint, EventEndpoint):
        return (f"The outcome is not known of {who}: {bounds}",)
    return (
        f"Whether it happened by day {endpoint.by_day} is not known of {who}, who were last seen before that day "
        f"without it: {bounds} They are left out, while an event seen before somebody was lost counts, which raises "
        "both shares; a cumulative incidence uses the time for which they were followed.",
    )
