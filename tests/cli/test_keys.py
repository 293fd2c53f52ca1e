"""Where a key may lie: in a file, locked by two people, or in the environment; everything else is refused."""

import getpass
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sevenfold.cli import main
from sevenfold.edge.keys import Secrets
from sevenfold.edge.locked_key import HALVES
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.service.opening import begin_trial, opened

ONE, TWO = "the first half of us", "and the other of you"


def typed(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """People type, one text after the other."""
    said: Iterator[str] = iter(texts)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(said))


def test_a_locked_key_opens_with_both_halves_in_their_order_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with one, not with both the other way round, not when the file was altered; the secret is not in the file."""
    secrets = Secrets.made(tmp_path / "a.key")
    typed(monkeypatch, ONE, ONE, TWO, TWO)
    assert main(["lock-key", str(tmp_path / "a.key"), "--to", str(tmp_path / "b.key")]) == 0
    kept = (tmp_path / "b.key").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "a.key").read_text(encoding="utf-8"))["secret"] not in kept
    assert (tmp_path / "b.key").stat().st_mode & 0o777 == 0o600
    typed(monkeypatch, ONE, TWO)
    assert Secrets.read(tmp_path / "b.key") == secrets
    for halves in ((TWO, ONE), (ONE, ONE), (ONE, ""), (ONE + TWO[0], TWO[1:])):
        typed(monkeypatch, *halves)
        with pytest.raises(InvalidInput, match="do not open"):
            Secrets.read(tmp_path / "b.key")
    for name, half in zip(HALVES, (ONE, TWO), strict=True):
        monkeypatch.setenv(name, half)
    assert Secrets.read(tmp_path / "b.key") == secrets
    (tmp_path / "c.key").write_text(json.dumps({"sevenfold key": 2, "salt": "zz"}), encoding="utf-8")
    with pytest.raises(InvalidInput, match="not a locked key"):
        Secrets.read(tmp_path / "c.key")


@pytest.mark.parametrize("texts", [(ONE, "mistyped"), (ONE, ONE, ONE, ONE), ("short", "short", TWO, TWO)])
def test_halves_that_lock_nothing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...]
) -> None:
    """Mistyped, the same twice, or too short; nothing is written."""
    Secrets.made(tmp_path / "a.key")
    typed(monkeypatch, *texts)
    assert main(["lock-key", str(tmp_path / "a.key"), "--to", str(tmp_path / "b.key")]) == 2
    assert not (tmp_path / "b.key").exists()


def test_a_trial_begins_and_goes_on_with_a_key_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file holds it; without it, or with another, the trial does not open."""
    key = Path("env:TRIAL_KEY")
    monkeypatch.setenv("TRIAL_KEY", os.urandom(32).hex())
    begin_trial(load("iris-7"), tmp_path / "trial", key)
    opened(tmp_path / "trial", key).close()
    assert [path.name for path in tmp_path.iterdir()] == ["trial"]
    secret = bytes.fromhex(os.environ["TRIAL_KEY"])
    assert not any(
        secret in path.read_bytes() or os.environ["TRIAL_KEY"].encode() in path.read_bytes()
        for path in (tmp_path / "trial").rglob("*")
        if path.is_file()
    )
    for wrong in ("", "abc", "00" * 31, "zz" * 32):
        monkeypatch.setenv("TRIAL_KEY", wrong)
        with pytest.raises(InvalidInput, match="holds no key"):
            opened(tmp_path / "trial", key)
