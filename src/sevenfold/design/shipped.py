"""The levels that were measured of the built-in protocols, as the package ships them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import final

from sevenfold.design.level import ALPHA, Verdict
from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol

__all__ = ["ShippedLevels", "check_primary", "shipped_levels"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLevels:
    """Levels of one protocol's tests.

    Args:
        plan_sha256: of the plan that they were measured of.
        planned: subjects of each trial.
        n_trials: simulated.
        shares: (estimand, method) -> share of trials rejected, with its Monte Carlo error.
        verdicts: (estimand, method) -> what that says.
    """

    plan_sha256: str
    planned: int
    n_trials: int
    shares: Mapping[tuple[str, str], tuple[float, float]]
    verdicts: Mapping[tuple[str, str], Verdict]


@cache
def shipped_levels(protocol: str) -> ShippedLevels | None:
    """By the protocol's name; None where none were measured."""
    path = files(__package__).joinpath("data", f"{protocol}.json")
    if not path.is_file():
        return None
    about = json.loads(path.read_text(encoding="utf-8"))
    keyed = {(one["estimand"], one["method"]): one for one in about["levels"]}
    return ShippedLevels(
        plan_sha256=about["plan_sha256"],
        planned=about["planned"],
        n_trials=about["trials"],
        shares={key: (one["share"], one["monte_carlo_error"]) for key, one in keyed.items()},
        verdicts={key: Verdict(one["verdict"]) for key, one in keyed.items()},
    )


def check_primary(protocol: Protocol) -> None:
    """Refuse a primary question whose first analysis is by a method that was measured to exceed its level in trials no
    smaller than this one.

    Raises:
        InvalidInput: with the level that was found, and where.
    """
    method = next(one.method.value for one in protocol.analyses if one.estimand == protocol.primary.id)
    for name in _measured():
        found = shipped_levels(name)
        if found is None or found.planned < protocol.population.planned:
            continue
        exceeding = [key for key, verdict in found.verdicts.items() if verdict is Verdict.EXCEEDS]
        barred = {key[1]: key for key in sorted(exceeding, key=lambda key: found.shares[key])}  # the worst stays
        own = found.verdicts.get((protocol.primary.id, method)) if name == protocol.name else None
        if method in barred and own in (None, Verdict.EXCEEDS):  # what was measured of this very question comes first
            key = barred[method]
            share, error = found.shares[key]
            raise InvalidInput(
                f"{protocol.name}: {key[1]!r} may not be the primary analysis. At {ALPHA:.0%} it found a difference in "
                f"{share:.1%} (Monte Carlo error {error:.1%}) of {found.n_trials} trials of {found.planned} without "
                f"one ({name}, {key[0]}); this trial plans {protocol.population.planned}. Choose an exact test."
            )


def _measured() -> list[str]:
    folder = files(__package__).joinpath("data")
    return sorted(path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))
