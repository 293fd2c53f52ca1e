"""The sampler and the chains guided by an emulator, where the posterior is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sevenfold.calibrate.check import drift
from sevenfold.calibrate.diagnose import diagnose, effective_size, nested_r_hat
from sevenfold.calibrate.sampler import SamplerSettings, SamplerState, advance_sampler, at_rest, begin_sampler, sample
from sevenfold.calibrate.surrogate import Chains, advance_chains, begin_chains

Floats = NDArray[np.float64]

K = 5
RNG = np.random.default_rng(1)
DESIGN, DATA, ERROR = RNG.normal(size=(3, K)), np.array([1.5, -1.0, 0.4]), 0.4
# z ~ N(0, 1), y = G z + e: posterior precision 1 + G'G/s², mean its inverse times G'y/s²
COVARIANCE = np.linalg.inv(np.eye(K) + DESIGN.T @ DESIGN / ERROR**2)
MEAN = COVARIANCE @ DESIGN.T @ DATA / ERROR**2


def log_likelihood(z: Floats) -> Floats:
    return np.asarray(-0.5 * (((DATA - z @ DESIGN.T) / ERROR) ** 2).sum(axis=1))


def density(z: Floats) -> Floats:
    return np.stack([np.zeros(len(z)), log_likelihood(z)], axis=1)


def wrong(z: Floats) -> Floats:
    """An emulator with a shifted, too wide and skewed idea of the likelihood."""
    return np.stack([np.zeros(len(z)), 0.6 * log_likelihood(z - 0.2) + 0.3 * np.sin(2.0 * z[:, 0])], axis=1)


def run(settings: SamplerSettings, of: object = density) -> SamplerState:
    state = begin_sampler(of, K, settings)  # type: ignore[arg-type]
    for last in sample(of, state, settings):  # type: ignore[arg-type]
        state = last
    return state


SETTINGS = SamplerSettings(n_runs=4, n_particles=150, n_sweeps=60)
STATE = run(SETTINGS)


def guided(n_sweeps: int, start: Chains | None = None) -> Chains:
    guide = run(SamplerSettings(n_runs=4, n_particles=150, n_sweeps=10), wrong)
    chains = start or begin_chains(log_likelihood, wrong, guide.particles[:, :100])
    while len(chains.kept) < n_sweeps:
        chains = advance_chains(log_likelihood, wrong, guide, chains, 7)
    return chains


def within(draws: Floats, n_effective: Floats) -> None:
    """Means and spreads within four standard errors: sd/√n and sd/√(2n)."""
    sd = np.sqrt(np.diag(COVARIANCE))
    assert np.all(np.abs(draws.mean(axis=0) - MEAN) <= 4 * sd / np.sqrt(n_effective))
    assert np.all(np.abs(draws.std(axis=0) / sd - 1.0) <= 4 / np.sqrt(2 * n_effective))


def test_the_sampler_finds_the_posterior_of_a_linear_gaussian_problem() -> None:
    kept = STATE.kept[15:]
    within(kept.reshape(-1, K), np.array([diagnose(kept[..., k]).ess_bulk for k in range(K)]))


def test_guided_chains_find_it_however_wrong_the_emulator() -> None:
    chains = guided(40)
    kept = chains.kept[10:]
    assert 0.1 < chains.accepted.mean() < 1.0
    within(kept.reshape(-1, K), np.array([diagnose(kept[..., k]).ess_bulk for k in range(K)]))


def test_a_perfect_emulator_is_always_accepted() -> None:
    guide = run(SamplerSettings(n_runs=2, n_particles=100, n_sweeps=5))
    chains = begin_chains(log_likelihood, density, guide.particles)
    assert advance_chains(log_likelihood, density, guide, chains, 3).accepted == pytest.approx(1.0)


def test_what_is_carried_on_is_bit_for_bit_what_was_never_stopped() -> None:
    settings = SamplerSettings(n_runs=2, n_particles=40, n_sweeps=4)
    whole, state = run(settings), begin_sampler(density, K, settings)
    for _ in range(7):
        state = advance_sampler(density, state, settings)
    state = replace(state)  # as if read from a file
    for last in sample(density, state, settings):
        state = last
    assert np.array_equal(whole.kept, state.kept)
    half = guided(2)
    assert np.array_equal(guided(4).kept, guided(4, half).kept)


def test_runs_know_nothing_of_each_other_until_they_rest() -> None:
    """The first run is the same whether there are two or four, while particles are tempered."""
    states = []
    for n_runs in (2, 4):
        settings = SamplerSettings(n_runs=n_runs, n_particles=40, n_sweeps=1)
        state = begin_sampler(density, K, settings)
        for _ in range(5):
            state = advance_sampler(density, state, settings)
        states.append(state.particles[0])
    assert np.array_equal(states[0], states[1])


def test_a_particle_that_fails_is_never_gone_to() -> None:
    def cut(z: Floats) -> Floats:
        logs = density(z)
        logs[z[:, 0] > MEAN[0], 1] = -np.inf
        return logs

    state = run(SamplerSettings(n_runs=1, n_particles=100, n_sweeps=10), cut)
    assert np.all(state.kept[..., 0] <= MEAN[0])
    assert np.all(np.isfinite(state.kept_logs))


def test_draws_of_the_posterior_stay_and_others_drift() -> None:
    """What `calibrate --check` rests on: sound draws stay put, draws shifted by half a standard deviation do not."""
    exact = np.random.default_rng(9).multivariate_normal(MEAN, COVARIANCE, (4, 100))
    settings = SamplerSettings(n_runs=4, n_particles=100, n_sweeps=5)
    assert drift(density, exact, settings).is_well
    assert not drift(density, exact + 0.5 * np.sqrt(np.diag(COVARIANCE)), settings).is_well
    assert not drift(density, MEAN + 0.6 * (exact - MEAN), settings).is_well


def test_chains_at_rest_are_not_tempered() -> None:
    state = at_rest(density, STATE.particles)
    assert state.is_tempered
    assert np.array_equal(state.particles, STATE.particles)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_effective_size_of_an_autoregression(phi: float) -> None:
    """N (1 − φ)/(1 + φ); the estimate of the sum of correlations of 200 chains of 200 is good to about a tenth."""
    rng = np.random.default_rng(3)
    x = np.zeros((200, 200))
    x[0] = rng.normal(size=200)
    for t in range(1, 200):
        x[t] = phi * x[t - 1] + np.sqrt(1 - phi**2) * rng.normal(size=200)
    assert effective_size(x) == pytest.approx(x.size * (1 - phi) / (1 + phi), rel=0.15)


def test_r_hat_tells_runs_apart() -> None:
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(50, 4, 20))
    assert nested_r_hat(draws) == pytest.approx(1.0, abs=5e-3)
    shifted = draws + np.array([0.0, 0.0, 0.0, 1.0])[None, :, None]
    assert nested_r_hat(shifted) > 1.1
    narrow = draws * np.array([1.0, 1.0, 1.0, 0.3])[None, :, None]
    assert diagnose(narrow).r_hat > 1.02


def test_ranks_of_effective_draws_do_not_mind_heavy_tails() -> None:
    heavy = np.random.default_rng(5).standard_cauchy((100, 4, 10))
    found = diagnose(heavy)
    assert found.r_hat < 1.01
    assert found.ess_bulk > 0.7 * heavy.size
