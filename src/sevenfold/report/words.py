"""Numbers and results in words, as a clinical reader expects them."""

from math import floor, log10
from typing import Final

from sevenfold.analysis.trial.estimates import Answer

__all__ = ["METHODS", "answer_value", "headline", "interval", "number", "p_value", "percent", "strategy", "supposed"]


METHODS: Final = {
    "ancova": "analysis of covariance (ANCOVA)",
    "repeated measures": "model for repeated measures",
    "proportional hazards": "Cox's proportional hazards",
    "log-rank": "log-rank test",
    "restricted mean": "restricted mean survival time",
    "stratified rank sum": "van Elteren's rank-sum test",
}
"""Methods that have a longer name in print than in a protocol."""


def number(value: float | None, digits: int | None = None) -> str:
    """A number with as many digits as matter, thousands apart; a dash for none."""
    if value is None:
        return "–"
    if digits is None:
        size = abs(value)
        digits = 0 if size >= 100 else 1 if size >= 10 else 2
        if 0.0 < size < 0.1:  # three that count
            digits = min(2 - floor(log10(size)), 6)
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "−")


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage; a dash for none."""
    return "–" if share is None else f"{100 * share:.{digits}f}\u202f%".replace("-", "−")


def p_value(p: float | None) -> str:
    """``p < 0.001`` or two significant digits; a dash for none."""
    if p is None:
        return "–"
    return "<\u202f0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def interval(lower: float | None, upper: float | None, digits: int | None = None) -> str:
    """``1.57 to 2.35``; a dash for none."""
    return "–" if lower is None or upper is None else f"{number(lower, digits)} to {number(upper, digits)}"


def answer_value(answer: Answer) -> tuple[str, str]:
    """An answer's estimate and interval on its own scale, as text."""
    if answer.bounds is not None:
        low, high = answer.bounds
        return f"between {number(low, 2)} and {number(high, 2)}", interval(answer.lower, answer.upper, 2)
    if answer.scale == "difference of proportions":
        if answer.value is None:
            return "–", "–"
        points = f"{100 * answer.value:+.0f} points".replace("-", "−")
        if answer.lower is None or answer.upper is None:
            return points, "–"
        ends = (f"{100 * end:.0f}".replace("-", "−") for end in (answer.lower, answer.upper))
        return points, " to ".join(ends)
    digits = 2 if answer.scale in ("ratio", "hazard ratio", "win ratio") else 1
    return number(answer.value, digits), interval(answer.lower, answer.upper, digits)


def headline(answer: Answer, active: str, control: str) -> str:
    """The primary result in a sentence."""
    if answer.value is None:
        return f"The primary question could not be answered: {answer.status.value}."
    value, ci = answer_value(answer)
    p = p_value(answer.p_value).replace("<\u202f", "< ")
    p_words = f"p {p}" if p.startswith("<") else f"p = {p}"
    if answer.scale == "ratio":
        return f"{answer.label}: {value} times as high on {active} as on {_lower(control)} (95 % CI {ci}; {p_words})."
    if answer.scale in ("hazard ratio", "win ratio"):
        return f"{answer.label}: {answer.scale} {value} (95 % CI {ci}; {p_words})."
    if answer.scale == "difference of proportions":
        a, b = answer.groups
        return (
            f"{answer.label}: {percent(a.value)} on {active} ({a.n_events} of {a.n_used}) against "
            f"{percent(b.value)} on {_lower(control)} "
            f"({b.n_events} of {b.n_used}), a difference of {value} (95 % CI {ci}; {p_words})."
        )
    return f"{answer.label}: a difference of {value} (95 % CI {ci}; {p_words})."


def _lower(name: str) -> str:
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def supposed(*, had_lived: bool, had_stayed: bool) -> str:
    """What a hypothetical answer supposes; nothing where nobody died and withdrawal is taken as it is."""
    parts = [part for part, holds in (("lived", had_lived), ("stayed", had_stayed)) if holds]
    return f"had {'they' if had_lived else 'all'} {' and '.join(parts)}" if parts else ""


def strategy(answer: Answer, supposed: str) -> str:
    """The strategies in words, marked where they are hypothetical."""
    return f"Hypothetical ({supposed}): {answer.strategy}" if supposed else answer.strategy
