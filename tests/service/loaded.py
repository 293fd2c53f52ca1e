"""A server under load, all of it real processes: what the proofs of durability and the figures of speed share."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import sqlalchemy as sa
from served import Served, eligible

import sevenfold
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.protocol.load import load
from sevenfold.record.payloads import AdverseEventReported, Dispensed, Randomised, read_payload
from sevenfold.record.place import shown
from sevenfold.record.reading import read_events
from sevenfold.record.verify import verify
from sevenfold.service.opening import begin_trial, opened, places_of
from sevenfold.service.role import Role
from sevenfold.trial.opening import open_site
from sevenfold.vault.vault import Vault

__all__ = ["Loaded", "load_a_trial"]

_STARTS_S = 60.0
_CLIENT = Path(__file__).parent / "client.py"


@final
@dataclass(slots=True)
class Loaded:
    """A trial's folder, a server that may be running, and clients that work on whether it runs or not."""

    folder: Path
    port: int
    sittings: list[dict[str, str]]
    server: "subprocess.Popen[bytes] | None" = None
    clients: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> float:
        """Start the server; answers how long it took until it answered [s]."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "sevenfold", "serve", "--folder", str(self.folder), "--port", str(self.port)]
        with (self.folder.parent / "server.log").open("ab") as log:
            self.server = subprocess.Popen(command, env=_surroundings(), stdout=subprocess.DEVNULL, stderr=log)
        while time.perf_counter() - began < _STARTS_S:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return time.perf_counter() - began
            assert self.server.poll() is None, (self.folder.parent / "server.log").read_text()[-2000:]
            time.sleep(0.01)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """End the server with no chance to tidy up."""
        assert self.server is not None
        assert self.server.poll() is None, "the server had ended before it was killed"
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def work(self, *, n_events: int = 2, think_s: float = 0.0) -> None:
        """Set the clients to work."""
        for place, sitting in enumerate(self.sittings):
            said = {
                **sitting, "port": str(self.port), "log": str(self._log(place)), "stop": str(self._stop),
                "events": str(n_events), "think_s": str(think_s),
            }  # fmt: skip
            path = self.folder.parent / f"client-{place}.json"
            path.write_text(json.dumps(said))
            self.clients.append(subprocess.Popen([sys.executable, "-S", str(_CLIENT), str(path)]))

    def busy(self, n: int = 2) -> None:
        """Wait until so many more steps were acknowledged, however slow the machine is."""
        before, until = self.n_acknowledged, time.monotonic() + 120
        while self.n_acknowledged < before + n:
            assert time.monotonic() < until, "the server acknowledges nothing"
            time.sleep(0.02)

    @property
    def n_acknowledged(self) -> int:
        """Steps acknowledged so far."""
        return sum(status == 303 for status, *_ in self.answers())

    def rest(self) -> None:
        """Let the clients come to an end."""
        self._stop.touch()
        for client in self.clients:
            client.wait(timeout=60)
        self.clients.clear()
        self._stop.unlink()

    def fill_disk(self, what: str) -> None:
        """Let no file of the server grow beyond a size: writing more fails, as on a full disk.

        Args:
            what: ``vault``: nothing can be written; ``ledger``: what the vault needs can, and the ledger's log cannot.
        """
        assert self.server is not None
        room = (self.folder / "vault.db").stat().st_size + 65_536 if what == "ledger" else 4096
        log, until = self.folder / "trial.db-wal", time.monotonic() + 20
        while what == "ledger" and log.stat().st_size < room and time.monotonic() < until:
            time.sleep(0.05)
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def free_disk(self) -> None:
        """Let files grow again."""
        assert self.server is not None
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def answers(self) -> list[tuple[int, str, float, float]]:
        """What the clients were answered: status (0: nothing), what they had sent, how long it took [ms], when [s]."""
        found = []
        for place in range(len(self.sittings)):
            path = self._log(place)
            for line in path.read_text().splitlines() if path.exists() else []:
                status, what, name, taken_ms, at_s = line.split()
                found.append((int(status), f"{what} {name}", float(taken_ms), float(at_s)))
        return found

    def check(self, *, is_at_rest: bool) -> "Counter[str]":
        """Hold the ledger and the vault against what was acknowledged; answers counts.

        Args:
            is_at_rest: whether a server has put the vault in order since the last kill and none runs now. Else the
                vault may have given out what the step that was killed was about to record: one place at most.
        """
        acknowledged = [what for status, what, _, _ in self.answers() if status == 303]
        place, _ = places_of(self.folder)
        found = verify(place)
        assert found.faults == ()
        events = read_events(place)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        there: Counter[str] = Counter()
        for event in events:
            said = read_payload(event)
            kind = f"{event.type}/{said.number}" if isinstance(said, AdverseEventReported) else event.type
            there[f"{kind} {event.subject}"] += 1
        lost = [what for what in acknowledged if not there[what]]
        assert lost == []
        doubled = [what for what, n in there.items() if n > 1 and what.endswith(tuple("0123456789"))]
        assert doubled == []
        taken = [said.number for event in events if isinstance(said := read_payload(event), Randomised)]
        assert len(taken) == len(set(taken))
        for letter in {number[0] for number in taken}:
            own = sorted(int(number.partition("-")[2]) for number in taken if number[0] == letter)
            assert own == list(range(1, len(own) + 1)), "a place was passed over"
        kits = {said.kit for event in events if isinstance(said := read_payload(event), Dispensed)}
        vault = Vault.reopened(self.folder / "vault.db", Secrets.read(key_beside(self.folder)).vault)
        ahead = set(vault._taken) - set(taken)
        assert set(taken) <= set(vault._taken)
        assert len(ahead) <= (0 if is_at_rest else 1), ahead
        assert kits == set(vault._contents)
        return Counter(events=len(events), acknowledged=len(acknowledged), randomised=len(taken))

    def end(self) -> None:
        """Whatever runs is ended."""
        for client in self.clients:
            client.kill()
            client.wait()
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()

    def tidied(self) -> None:
        """Open and close the trial once, as a server that starts does."""
        opened(self.folder, key_beside(self.folder)).close()

    @property
    def _stop(self) -> Path:
        return self.folder.parent / "stop"

    def _log(self, place: int) -> Path:
        return self.folder.parent / f"client-{place}.log"


def load_a_trial(where: Path, n_clients: int, database: sa.URL | None = None, planned: int = 5000) -> Loaded:
    """A new trial of many subjects with an investigator a client, each at a site in turn, who are all in."""
    text = load("iris-7").text
    protocol = where / "protocol.yaml"
    protocol.write_text(
        re.sub(r"planned: \{value: \d+", f"planned: {{value: {planned}", text, count=1), encoding="utf-8"
    )
    file = load(str(protocol))
    assert file.protocol.population.planned == planned
    folder = where / "trial"
    begin_trial(file, folder, key_beside(folder), database)
    room = opened(folder, key_beside(folder))
    served = Served(room, folder)
    sites = list(room.protocol.sites)
    sittings = []
    for n in range(n_clients):
        site = sites[n % len(sites)]
        if site not in room.conduct.whole.sites:
            with room.step(None) as conduct:
                open_site(conduct, site, room.clock.now())
        person = room.accounts.admit(f"i{n}@{site}", f"Investigator {n}", Role.INVESTIGATOR, site, tuple(sites))
        room.admitted(person, None)
        cookie = room.sessions.begin(person, room.now_s())
        session = room.sessions.of(cookie, room.now_s())
        assert session is not None
        zone = room.zone(person)
        sittings.append(
            {
                "cookie": cookie, "form_key": session.form_key, "zone": zone.key,
                "screening": json.dumps(eligible(served, zone)),
            }
        )  # fmt: skip
    room.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    assert database is None or shown(database) == shown(places_of(folder)[0])
    return Loaded(folder, port, sittings)


def _surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(sevenfold.__file__).parents[1])}
