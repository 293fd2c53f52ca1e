"""Fifty people at once, and as many as they can: requests a second and how long a step takes, on both databases.

The server and every client are processes of their own on one machine, so clients take of what the server could use.
Two measurements: without pauses (what a server can do at most; the wait is then the queue of the other clients) and
with people's pauses, from half to one and a half of what is said, so that they do not act in step.
``PYTHONPATH=src:tests:tests/service python bench/serve.py [seconds]``
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from loaded import load_a_trial

from databases import start_cluster

_CLIENTS = 50
_PAUSE_S = 2.0  # between a person's steps; people take longer


def measured(name: str, seconds: float, think_s: float, database: str) -> str:
    """One line of the table."""
    cluster = start_cluster() if database == "PostgreSQL" else None
    with tempfile.TemporaryDirectory() as where:
        loaded = load_a_trial(Path(where), _CLIENTS, cluster.new() if cluster else None, planned=2000)
        try:
            started_s = loaded.start()
            loaded.work(n_events=20, think_s=think_s)
            time.sleep(4.0 + 2 * think_s)  # until all are at work
            began, cpu = time.time(), _cpu_s(loaded.server.pid if loaded.server else 0)
            time.sleep(seconds)
            ended = time.time()
            used = (_cpu_s(loaded.server.pid if loaded.server else 0) - cpu) / (ended - began)
            loaded.rest()
            loaded.kill()
            loaded.tidied()
            loaded.check(is_at_rest=True)
            taken = np.array(
                [ms for status, _, ms, at_s in loaded.answers() if status == 303 and began <= at_s <= ended]
            )
        finally:
            loaded.end()
            if cluster:
                cluster.stop()
    half, tail, most = np.percentile(taken, [50, 99, 100])
    return (
        f"{database:<11} {name:<17} {len(taken) / (ended - began):>8.1f} {half:>8.1f} {tail:>8.1f} {most:>8.1f} "
        f"{used:>9.2f} {started_s:>9.1f}"
    )


def _cpu_s(process: int) -> float:
    said = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print(f"{_CLIENTS} clients, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}; {seconds:g} s each")
    heads = " ".join(f"{head:>8}" for head in ("steps/s", "p50 ms", "p99 ms", "max ms"))
    print(f"{'database':<11} {'clients':<17} {heads} {'cores':>9} {'start s':>9}")
    for database in ("SQLite", "PostgreSQL"):
        print(measured("without pauses", seconds, 0.0, database), flush=True)
        print(measured(f"pause {_PAUSE_S:g} s", seconds, _PAUSE_S, database), flush=True)


if __name__ == "__main__":
    main()
