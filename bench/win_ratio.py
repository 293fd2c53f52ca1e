"""How often the win ratio's normal test errs where there is no difference, by the sizes of the two groups.

Thirty per cent of either group die at exponential times, the others have a normal value; 4,000 trials a size, one seed.
The plan's analysis gives no test below the smallest group whose level stays within two points of 5 %:
``sevenfold.analysis.trial.prioritised``. Run: ``python bench/win_ratio.py``.
"""

import numpy as np

from sevenfold.analysis.priority import Survived, Valued, win_statistics

_SIZES = (
    (2, 38),
    (3, 24),
    (4, 23),
    (5, 22),
    (6, 21),
    (8, 19),
    (9, 18),
    (10, 17),
    (13, 14),
    (20, 20),
    (10, 90),
    (10, 490),
)
_TRIALS = 4_000
_DAYS = 28.0


def level(n_active: int, n_control: int, rng: np.random.Generator) -> tuple[float, float, int]:
    """The share of null trials with p < 0.05 among those answered, its standard error, and the unanswered."""
    n = n_active + n_control
    is_active = np.arange(n) < n_active
    rejected = answered = 0
    for _ in range(_TRIALS):
        death = np.where(rng.random(n) < 0.3, rng.uniform(0.0, _DAYS, n), np.inf)
        is_dead = np.isfinite(death)
        levels = (
            Survived.of(np.minimum(death, _DAYS), is_dead),
            Valued.of(np.where(is_dead, np.nan, rng.normal(size=n))),
        )
        wins = win_statistics(levels, is_active)
        if wins.log_win_ratio is not None:
            answered += 1
            rejected += wins.log_win_ratio.p_value < 0.05
    share = rejected / answered
    return share, float(np.sqrt(share * (1 - share) / answered)), _TRIALS - answered


def main() -> None:
    """A line a size."""
    print("active control  level %  +- SE   no answer")
    for sizes in _SIZES:
        share, se, missing = level(*sizes, np.random.default_rng(7))
        print(f"{sizes[0]:6d} {sizes[1]:7d}  {100 * share:7.1f}  {100 * se:5.1f}  {missing:9d}", flush=True)


if __name__ == "__main__":
    main()
