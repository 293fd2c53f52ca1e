"""``sevenfold boundary``: a stopping boundary on the rate of an event, and what it does."""

import argparse

from sevenfold.errors import InvalidInput
from sevenfold.rules.boundary import Boundary, boundary_for, replayed

__all__ = ["print_boundary"]


def print_boundary(chosen: argparse.Namespace) -> int:
    """Print the boundary, its operating characteristics and, if asked for, the replay of totals in print."""
    boundary = boundary_for(
        background=chosen.background,
        tolerable=chosen.tolerable,
        n_subjects=chosen.subjects,
        wrongly=chosen.wrongly,
    )
    print(f"Stop and review when so many had the event (posterior probability of more than {chosen.background:.0%}")
    print(f"at least {boundary.certainty:.3f}; prior of one subject):")
    for first, last, events in _steps(boundary):
        print(
            f"  {events:3d} events among {first} to {last} treated"
            if last > first
            else f"  {events:3d} events among {first} treated"
        )
    print("What it does (exact):")
    print("  rate     reached   treated, mean")
    rates = {chosen.background / 2, chosen.background, (chosen.background + chosen.tolerable) / 2, chosen.tolerable}
    for rate in sorted(rates | {min(1.5 * chosen.tolerable, 0.95)}):
        does = boundary.at_rate(rate)
        word = " (background)" if rate == chosen.background else " (tolerable)" if rate == chosen.tolerable else ""
        print(f"  {rate:6.1%}  {does.stops:7.1%}   {does.mean_n:5.1f} of {boundary.n_subjects}{word}")
    if chosen.replay:
        _print_replay(boundary, chosen.replay)
    return 0


def _steps(boundary: Boundary) -> list[tuple[int, int, int]]:
    """(first, last, events): runs of looks at which the same number of events is too many; none where none is."""
    steps: list[tuple[int, int, int]] = []
    for n, events in enumerate(boundary.events, start=1):
        if events > n:
            continue
        if steps and steps[-1][2] == events and steps[-1][1] == n - 1:
            steps[-1] = (steps[-1][0], n, events)
        else:
            steps.append((n, n, events))
    return steps


def _print_replay(boundary: Boundary, text: str) -> None:
    events, slash, subjects = text.partition("/")
    if not slash or not events.strip().isdecimal() or not subjects.strip().isdecimal():
        raise InvalidInput(f"--replay takes events and subjects, such as 3/15, got {text!r}.")
    found = replayed(boundary, int(events), int(subjects))
    print(f"{int(events)} of {int(subjects)} replayed, over every order in which the events may have come:")
    if found.earliest is None:
        print("  no order reaches the boundary.")
        return
    print(f"  reached in {found.share:.1%} of the orders, after subject {found.earliest} at the soonest;")
    at_end = boundary.is_reached(int(events), int(subjects))
    print(f"  at the end {events} of {subjects} {'reach' if at_end else 'do not reach'} it.")
