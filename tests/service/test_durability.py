"""Whatever was acknowledged is there: after kill -9 at any moment, on a full disk, with the database restarted beneath.

``SEVENFOLD_KILLS`` says how often (default 5; ``make proof`` says 200). A killed process loses what it had not handed
to the system; that a disk keeps what it was told to sync when the power fails is the disk's promise, not shown here.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from loaded import Loaded, load_a_trial

from databases import Cluster

_KILLS = int(os.environ.get("SEVENFOLD_KILLS", "5"))
_CLIENTS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Loaded]:
    """A trial in each database, with clients who are not at work yet."""
    found = request.param == "postgresql" and request.getfixturevalue("cluster").new()
    made = load_a_trial(tmp_path, _CLIENTS, found or None, planned=20 * _KILLS + 1000)
    yield made
    made.end()


def told(what: str, loaded: Loaded, **figures: object) -> None:
    """Print what was found, for ``make proof``."""
    statuses = [status for status, *_ in loaded.answers()]
    counts = {str(one): statuses.count(one) for one in sorted(set(statuses))}
    print(f"\n{what}: {figures}; answers by status (0: none) {counts}")


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(loaded: Loaded) -> None:
    """At random moments, with requests under way; the next start needs no help and puts the vault in order."""
    chance = random.Random(1)
    loaded.work()
    for _ in range(_KILLS):
        loaded.start()
        loaded.busy()
        time.sleep(chance.uniform(0.0, 0.8))
        loaded.kill()
        counts = loaded.check(is_at_rest=False)
    loaded.rest()
    loaded.tidied()
    counts = loaded.check(is_at_rest=True)
    assert counts["acknowledged"] > _KILLS
    assert counts["randomised"] > 0
    told("killed", loaded, kills=_KILLS, **counts)


def test_nothing_acknowledged_is_lost_on_a_full_disk(tmp_path: Path) -> None:
    """Steps are refused while no file may grow, and taken again afterwards by the same server, which is killed now and
    then while the disk is full.
    """
    n_times = max(_KILLS // 4, 2)
    loaded = load_a_trial(tmp_path, _CLIENTS, planned=150 + 10 * n_times)
    try:
        loaded.work()
        loaded.start()
        for n in range(n_times):
            loaded.busy()
            loaded.fill_disk("ledger" if n % 2 == 0 else "vault")
            time.sleep(0.7)
            if n % 4 == 3:
                loaded.kill()
                loaded.check(is_at_rest=False)
                loaded.start()
            else:
                loaded.free_disk()
        loaded.busy()
        loaded.rest()
        loaded.kill()
        loaded.tidied()
        counts = loaded.check(is_at_rest=True)
        refused = sum(status == 503 for status, *_ in loaded.answers())
        assert refused > 0
        told("full disk", loaded, times=n_times, refused=refused, **counts)
    finally:
        loaded.end()


def test_nothing_acknowledged_is_lost_when_postgresql_is_restarted_beneath(tmp_path: Path, cluster: Cluster) -> None:
    """Broken off like a failing machine; the server lives on, refuses what it can't keep, and goes on by itself."""
    loaded = load_a_trial(tmp_path, _CLIENTS, cluster.new(), planned=20 * _KILLS + 1000)
    n_times, chance = max(_KILLS // 4, 2), random.Random(2)
    try:
        loaded.work()
        loaded.start()
        for _ in range(n_times):
            loaded.busy()
            time.sleep(chance.uniform(0.0, 0.6))
            cluster.restart()
        loaded.busy()
        loaded.rest()
        loaded.kill()
        loaded.tidied()
        counts = loaded.check(is_at_rest=True)
        told("PostgreSQL restarted", loaded, times=n_times, **counts)
    finally:
        loaded.end()
