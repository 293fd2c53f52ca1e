"""The vault's file: what was given out is there when it is opened again, and what can't be replaced is refused."""

import dataclasses
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import sevenfold
from rehearsals import with_planned
from sevenfold.edge.keys import Secrets
from sevenfold.edge.supply import supply_of
from sevenfold.errors import AuditBroken, InvalidDesign, InvalidInput
from sevenfold.protocol.load import load
from sevenfold.record.reading import read_events
from sevenfold.vault.supply import Supply
from sevenfold.vault.vault import Vault

SECRET = bytes(range(32))
SUPPLY = supply_of(with_planned(load("iris-7"), 30))


def used(path: Path) -> Vault:
    """A vault that has given out places and kits, with somebody withheld for now and somebody for good."""
    vault = Vault.create(path, SUPPLY, SECRET)
    for k in range(30):
        number = vault.allocate("France")
        for day in (1, 4):
            vault.dispense(number, day)
        vault.withhold(number, until_further_notice=k % 3 == 0, for_good=k % 5 == 0)
        if k % 7 == 0:
            vault.persist()
    for k in range(1, 30):
        vault.withhold(f"A-{k:03d}", until_further_notice=k % 2 == 0, for_good=False)  # some are lifted again
    vault.persist()
    return vault


def test_a_vault_opened_again_is_the_one_that_was_closed(tmp_path: Path) -> None:
    """Lists, kits, places taken, contents and what is withheld; and it goes on from there."""
    first = used(tmp_path / "vault.db")
    again = Vault.reopened(tmp_path / "vault.db", SECRET)
    assert again.commitment == first.commitment
    assert again.reveal(is_locked=True) == first.reveal(is_locked=True)
    assert (again.supply, again._kits, again._contents) == (first.supply, first._kits, first._contents)
    assert again._withheld == first._withheld
    assert len(first._withheld) > 10
    for vault in (first, again):
        vault.withhold("A-002", until_further_notice=True, for_good=False)
    assert again.dispense("A-002", 8) == first.dispense("A-002", 8)
    assert again.allocate("United States") == first.allocate("United States")
    again.persist()
    assert Vault.reopened(tmp_path / "vault.db", SECRET)._contents == first._contents


def test_what_was_not_made_durable_is_not_there(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path / "vault.db", SUPPLY, SECRET)
    vault.allocate("France")
    assert Vault.reopened(tmp_path / "vault.db", SECRET).allocate("France") == "A-001"


def test_the_file_s_rows_are_the_same_whoever_is_withheld(tmp_path: Path) -> None:
    """Else their number would tell how many counts were high."""
    shapes = []
    for name, everybody in (("a", True), ("b", False)):
        vault = Vault.create(tmp_path / f"{name}.db", SUPPLY, SECRET)
        for _ in range(30):
            vault.withhold(vault.allocate("France"), until_further_notice=everybody, for_good=everybody)
        vault.persist()
        with closing(sqlite3.connect(vault.path)) as connection:
            shapes.append(connection.execute("SELECT name, length(text) FROM sealed ORDER BY name").fetchall())
    assert shapes[0] == shapes[1]


def test_another_secret_a_missing_file_or_another_database_is_refused(tmp_path: Path) -> None:
    used(tmp_path / "vault.db")
    with pytest.raises(AuditBroken, match="another key"):
        Vault.reopened(tmp_path / "vault.db", bytes(32))
    with pytest.raises(InvalidInput, match="There is no vault"):
        Vault.reopened(tmp_path / "other.db", SECRET)
    (tmp_path / "other.db").write_bytes(b"a thesis")
    with pytest.raises(InvalidInput, match="is not a vault"):
        Vault.reopened(tmp_path / "other.db", SECRET)


def test_an_active_product_without_a_placebo_is_never_dispensed_while_it_is_withheld(tmp_path: Path) -> None:
    """It used to be: the product itself took its own place."""
    supply: Supply = dataclasses.replace(SUPPLY, placebo_of={})
    vault = Vault.create(tmp_path / "vault.db", supply, SECRET)
    number = next(n for n in iter(lambda: vault.allocate("France"), None) if vault._taken[n] == "high")
    vault.dispense(number, 1)
    vault.withhold(number, until_further_notice=False, for_good=True)
    with pytest.raises(InvalidDesign, match="needs a placebo") as refused:
        vault.dispense(number, 4)
    assert not any(word in str(refused.value).split() for word in ("high", "cyt107"))


def test_after_a_hard_kill_the_vault_knows_every_place_and_kit_that_the_ledger_speaks_of(tmp_path: Path) -> None:
    """Killed after the second commit: no event may be durable before what it speaks of."""
    out = tmp_path / "out"
    env = {**os.environ, "PYTHONPATH": str(Path(sevenfold.__file__).parents[1])}
    words = [sys.executable, "-m", "sevenfold", "run", "iris-7", "--patients", "300", "--seed", "4", "--quiet"]
    process = subprocess.Popen([*words, "--out", str(out)], env=env)
    folder = out / "unfinished"
    ledger = folder / "trial.db"
    until = time.monotonic() + 240.0
    while process.poll() is None and time.monotonic() < until:
        if ledger.exists() and ledger.stat().st_size > 2_500_000:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    vault = Vault.reopened(folder / "vault.db", Secrets.of_seed(4).vault)
    said = [(event.type, json.loads(event.payload)) for event in read_events(folder / "trial.db")]
    numbers = [payload["number"] for kind, payload in said if kind == "Randomised"]
    kits = [payload["kit"] for kind, payload in said if kind == "Dispensed"]
    assert len(numbers) > 3
    assert all(vault.has_given_out(number=number) for number in numbers)
    assert all(vault.has_given_out(kit=kit) for kit in kits)


def test_a_vault_whose_writer_was_killed_in_the_middle_opens_as_it_was_before(tmp_path: Path) -> None:
    """What the write had begun stands in a journal, which only a connection that may write can take back."""
    path = tmp_path / "vault.db"
    first = used(path)
    script = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_spill=1'); "
        "c.execute('PRAGMA cache_size=1'); c.execute(\"UPDATE sealed SET text = 'x'\"); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert (tmp_path / "vault.db-journal").stat().st_size > 0
    assert Vault.reopened(path, SECRET).reveal(is_locked=True) == first.reveal(is_locked=True)
