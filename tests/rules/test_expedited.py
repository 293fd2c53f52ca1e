"""The clocks of serious events: ICH E2A's 7, 8 and 15 calendar days."""

from datetime import UTC, datetime, timedelta

import pytest

from sevenfold.rules.expedited import clocks_of

KNOWN = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grade", "related", "expected", "days", "more"),
    [
        (5, True, False, 7, 15),
        (4, True, False, 7, 15),
        (3, True, False, 15, None),
        (5, False, False, None, None),
        (5, True, True, None, None),
        (5, None, None, None, None),
    ],
)
def test_a_susar_is_told_in_seven_days_if_fatal_else_in_fifteen(
    grade: int, related: bool | None, expected: bool | None, days: int | None, more: int | None
) -> None:
    """Only what is related and unexpected goes to the authority; the follow-up has eight days more."""
    clocks = clocks_of(known_at=KNOWN, grade=grade, is_exempt=False, is_related=related, is_expected=expected)
    assert clocks.monitor == KNOWN + timedelta(hours=24)
    assert clocks.authority == (None if days is None else KNOWN + timedelta(days=days))
    assert clocks.follow_up == (None if more is None else KNOWN + timedelta(days=more))


def test_what_the_disease_brings_anyway_is_not_told_at_once_but_may_still_be_a_susar() -> None:
    """The list spares the immediate report, not the judgement."""
    clocks = clocks_of(known_at=KNOWN, grade=5, is_exempt=True, is_related=True, is_expected=False)
    assert clocks.monitor is None
    assert clocks.authority == KNOWN + timedelta(days=7)
