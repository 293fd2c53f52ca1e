"""A ledger of many subjects and a million events: verifying it, starting a server on it, opening a subject's page.

The events are those of a small rehearsal, told again of others with numbers, kits, seals of their own.
``PYTHONPATH=src:tests:tests/service python bench/ledger.py [subjects] [sqlite|postgresql]``; 10,000 take minutes.
"""

import dataclasses
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from fastapi.testclient import TestClient

from databases import start_cluster
from rehearsals import rehearsed, with_planned
from sevenfold.clock import SystemClock
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.edge.supply import supply_of
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.event import Draft, Event
from sevenfold.record.history import sealed_place
from sevenfold.record.ledger import Ledger
from sevenfold.record.place import Place
from sevenfold.record.reading import read_events
from sevenfold.record.verify import verify
from sevenfold.sealing import canonical_json, open_sealed
from sevenfold.service.app import app_of
from sevenfold.service.opening import make_folder, opened
from sevenfold.service.role import Role
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.enrolling import stratum_of
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.vault.vault import Vault

_A_SUBJECT = 100  # events; what a rehearsal has fewer of are told again as visits


def templates(where: Path) -> tuple[dict[str, list[Event]], bytes]:
    """The events of randomised virtual patients up to the end of their parts, and the key of what is sealed."""
    trial = rehearsed(with_planned(load("iris-7"), 8), where)
    found: dict[str, list[Event]] = {}
    for event in read_events(where / "trial.db"):
        if event.subject is not None:
            found.setdefault(event.subject, []).append(event)
    revealed = trial.history.unblinded
    assert revealed is not None
    randomised = {name: events for name, events in found.items() if any(one.type == "Randomised" for one in events)}
    return randomised, bytes.fromhex(revealed.results_key)


def filled(file: ProtocolFile, folder: Path, place: Place, n_subjects: int) -> int:
    """Make the trial; answers its number of events."""
    with tempfile.TemporaryDirectory() as where:
        patterns, key = templates(Path(where))
    database = place if isinstance(place, sa.URL) else None
    secrets = make_folder(file, folder, key_beside(folder), database)
    vault = Vault.create(folder / "vault.db", supply_of(file), secrets.vault)
    ledger = Ledger.create(place, SystemClock(), secrets.signing)
    conduct = Conduct(file, ledger, vault)
    open_trial(conduct, SystemClock().now(), is_rehearsal=True)
    sites = list(file.protocol.sites)
    for site in sites:
        open_site(conduct, site, SystemClock().now())
    for n in range(n_subjects):
        site = sites[n % len(sites)]
        subject, number = f"{site}-{n // len(sites) + 1:05d}", ""
        pattern = list(patterns.values())[n % len(patterns)]
        kits: dict[int, str] = {}
        more = [event for event in pattern if event.type == "VisitHeld"][-1:] * (_A_SUBJECT - len(pattern))
        for event in [*pattern, *more]:
            said = json.loads(event.payload)
            if event.type == "Randomised":
                number = vault.allocate(stratum_of(file, site))
                said = {**said, "number": number, "stratum": stratum_of(file, site)}
            elif event.type == "Dispensed":
                said["kit"] = kits[said["study_day"]] = vault.dispense(number, said["study_day"])
            elif event.type == "DoseGiven":
                said["kit"] = kits[said["study_day"]]
            elif "sealed" in said:
                kind = "results" if event.type == "MaskedResults" else "review"
                plain = open_sealed(key, sealed_place(kind, str(event.subject), said["visit"]), said["sealed"])
                said["sealed"] = vault.seal(sealed_place(kind, subject, said["visit"]), plain)
                if kind == "review":
                    vault.withhold(number, until_further_notice=plain["withhold"], for_good=plain["for good"])
            draft = {name: getattr(event, name) for name in (one.name for one in dataclasses.fields(Draft))}
            ledger.append(Draft(**{**draft, "subject": subject, "site": site, "payload": canonical_json(said)}))
        if n % 200 == 199:
            conduct.commit()
    conduct.commit()
    ledger.close()
    return ledger.head.count


def main() -> None:
    """Print what was measured."""
    n_subjects = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kind = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    cluster = start_cluster() if kind == "postgresql" else None
    with tempfile.TemporaryDirectory() as where:
        protocol, folder = Path(where) / "protocol.yaml", Path(where) / "trial"
        planned = f"planned: {{value: {n_subjects}"
        protocol.write_text(re.sub(r"planned: \{value: \d+", planned, load("iris-7").text, count=1), encoding="utf-8")
        place: Place = cluster.new() if cluster else folder / "trial.db"
        began = time.perf_counter()
        n = filled(load(str(protocol)), folder, place, n_subjects)
        size = (folder / "trial.db").stat().st_size / 1e6 if isinstance(place, Path) else float("nan")
        print(
            f"{kind}: {n_subjects} subjects, {n} events, {size:.0f} MB, made in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        began, cpu = time.perf_counter(), time.process_time()
        assert verify(place, processes=os.cpu_count() or 1).faults == ()
        taken, used = time.perf_counter() - began, time.process_time() - cpu
        print(f"verified in {taken:.1f} s: {n / taken:,.0f} events/s, by {os.cpu_count()} processes", flush=True)
        began, cpu = time.perf_counter(), time.process_time()
        assert verify(place).faults == ()
        taken, used = time.perf_counter() - began, time.process_time() - cpu
        print(f"by one: {taken:.1f} s, {n / taken:,.0f} events/s, {n / used:,.0f} a second of its CPU", flush=True)
        began = time.perf_counter()
        room = opened(folder, key_beside(folder))
        slow = time.perf_counter() - began
        print(f"opened (every event folded, every seal opened) in {slow:.1f} s", flush=True)
        began = time.perf_counter()
        room.close()
        print(f"closed, and where everything stood kept, in {time.perf_counter() - began:.1f} s", flush=True)
        began = time.perf_counter()
        room = opened(folder, key_beside(folder))
        quick = time.perf_counter() - began
        print(f"opened from behind event {room.n_kept} in {quick:.1f} s: {slow / quick:.0f} times faster", flush=True)
        person = room.accounts.admit("n@x", "Nurse", Role.NURSE, "FR-1", tuple(room.protocol.sites))
        room.admitted(person, None)
        visitor = TestClient(app_of(room), base_url="http://testserver")
        visitor.cookies.set("sevenfold", room.sessions.begin(person, room.now_s()))
        for page in ("/subjects/FR-1-00001", f"/subjects/FR-1-{n_subjects // 8:05d}", "/subjects"):
            took = []
            for _ in range(9):
                began = time.perf_counter()
                assert visitor.get(page).status_code == 200
                took.append(1000 * (time.perf_counter() - began))
            print(f"{page}: median {sorted(took)[4]:.0f} ms, worst of 9 {max(took):.0f} ms", flush=True)
        assert Secrets.read(key_beside(folder)).signing.public_key == room.conduct.ledger.head.public_key
        room.close()
    if cluster:
        cluster.stop()


if __name__ == "__main__":
    main()
