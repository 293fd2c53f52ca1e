"""Where subjects and trial stood at an event, kept beside the ledger: a start goes on from there.

It is a cache: where anything is wrong with it, the ledger is followed from its first event instead. It is signed with
the ledger's key and bound to the event behind which it stands, to the protocol, and to the source of the program that
folded it. It holds what the ledger holds in clear, and sealed, at one length for all, whose product is withheld.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, final

from pydantic import BaseModel, TypeAdapter, ValidationError

import sevenfold
from sevenfold.errors import InvalidInput
from sevenfold.record.head import holds
from sevenfold.record.ledger import Ledger
from sevenfold.sealing import canonical_json
from sevenfold.trial.ports import Allocator
from sevenfold.trial.standing import TrialStanding
from sevenfold.trial.subject import Standing

__all__ = ["Kept", "read_kept", "write_kept"]

_FOLDING: Final = ("protocol", "record", "rules", "trial")  # packages whose source says what an event changes
_STARTED_AT: Final = time.time()  # s
_TOGETHER: Final = 2_000  # subjects in one sealed text
_WORDS: Final[Mapping[bool | None, str]] = {None: "0", False: "1", True: "2"}
"""Of a product that is not withheld, is until further notice, or is for good."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept.

    Args:
        count: of the events that were followed.
        hash: of the last of them.
        program: hash of the source that followed them.
        protocol: hash of its text.
        sites: by subject.
        met: (rule, subject) that a rule on a rate counts.
        sealed: for so many subjects after one another, whether their active product is withheld.
    """

    count: int
    hash: str
    program: str
    protocol: str
    standings: list[Standing]
    sites: dict[str, str]
    whole: TrialStanding
    met: set[tuple[str, str]]
    sealed: list[str]

    @classmethod
    def sealing(cls, allocator: Allocator, withheld: Mapping[str, bool], **said: Any) -> "Kept":
        """With whose product is withheld (True: for good) sealed."""
        names = [standing.subject for standing in said["standings"]]
        parts = [names[first : first + _TOGETHER] for first in range(0, len(names), _TOGETHER)]
        sealed = [
            allocator.seal(_place(said["count"], n), "".join(_WORDS[withheld.get(name)] for name in part))
            for n, part in enumerate(parts)
        ]
        return cls(program=_program(), sealed=sealed, **said)

    def withheld(self, allocator: Allocator) -> dict[str, bool]:
        """Whose active product is withheld, and whether for good.

        Raises:
            AuditBroken: what was sealed was altered, or sealed under another key.
        """
        words = "".join(allocator.open(_place(self.count, n), text) for n, text in enumerate(self.sealed))
        each = zip(self.standings, words, strict=True)
        return {standing.subject: word == _WORDS[True] for standing, word in each if word != _WORDS[None]}


def write_kept(path: Path, kept: Kept, ledger: Ledger) -> None:
    """Put it in place of what was kept before, signed.

    Raises:
        OSError: it cannot be written; what was kept before is left.
    """
    body = json.dumps(kept, default=_plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        draft.write_bytes(ledger.signer.sign(_signed(body)).encode() + b"\n" + body)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_kept(path: Path, ledger: Ledger, protocol_sha256: str) -> Kept:
    """What was kept last of this ledger.

    Raises:
        InvalidInput: there is nothing, or it is not what this program kept of this ledger and protocol.
    """
    try:
        signature, _, body = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    if not holds(ledger.signer.public_key, _signed(body), signature.decode("ascii", "replace")):
        raise InvalidInput(f"{path} does not bear this ledger's signature.")
    try:
        kept = TypeAdapter(Kept).validate_json(body)
    except ValidationError:
        raise InvalidInput(f"{path} was kept by another program than this one.") from None
    if (kept.program, kept.protocol) != (_program(), protocol_sha256):
        raise InvalidInput(f"{path} was kept by another program than this one, or of another protocol.")
    last = ledger.event(kept.count)
    if last is None or last.hash != kept.hash:
        raise InvalidInput(f"{path} stands behind another event {kept.count} than the ledger's.")
    return kept


def _place(count: int, n: int) -> str:
    return f"withheld behind event {count}, part {n}"


def _signed(body: bytes) -> bytes:
    return canonical_json(["sevenfold kept standing", 1, sha256(body).hexdigest()])


def _plain(value: Any) -> Any:
    """In words of JSON; sets in order, so that the same standing is the same text."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is not kept.")


def _sources() -> Iterator[Path]:
    root = Path(sevenfold.__path__[0])
    yield from sorted(root.glob("*.py"))
    for package in _FOLDING:
        yield from sorted((root / package).rglob("*.py"))


@cache
def _program() -> str:
    """The hash of all source that says what an event changes.

    Raises:
        InvalidInput: a file was put in the place of one that this program was started from.
    """
    paths = list(_sources())
    newer = next((path for path in paths if path.stat().st_ctime >= _STARTED_AT), None)
    if newer is not None:
        raise InvalidInput(f"{newer} was changed since this program was started; start it anew.")
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
