"""The secrets of a run: what opens its vault and signs its ledger.

A key lies in a file, in a file that two people lock with half a passphrase each, or in the environment.

A rehearsal that is unblinded takes them from its seed, so that it can be repeated to the byte; whoever knows the seed
knows the list, and the blind is one of procedure. A blinded run draws them from the machine and keeps them in a file of
their own, which only its owner may read.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, final

from sevenfold.edge.locked_key import is_locked, locked, unlocked
from sevenfold.errors import InvalidInput
from sevenfold.record.head import SigningKey
from sevenfold.sealing import derived_key

__all__ = ["Secrets", "key_beside"]

_FORMAT: Final = 1
_BYTES: Final = 32
_ENVIRONMENT: Final = "env:"


@final
@dataclass(frozen=True, slots=True)
class Secrets:
    """One secret, from which every other is derived."""

    _root: bytes = field(repr=False)

    @classmethod
    def of_seed(cls, seed: int) -> Self:
        """Those that follow from a seed."""
        return cls(str(seed).encode())

    @classmethod
    def drawn(cls) -> Self:
        """New ones, from the machine."""
        return cls(os.urandom(_BYTES))

    @classmethod
    def made(cls, path: Path) -> Self:
        """New ones, kept in a new key file; those of the environment where the path says ``env:NAME``.

        Raises:
            InvalidInput: the file exists or can't be made, or the environment holds no key.
        """
        if _is_of_environment(path):
            return cls.read(path)
        drawn = cls.drawn()
        drawn.write(path)
        return drawn

    @classmethod
    def read(cls, path: Path) -> Self:
        """Those of a key file, of a locked one (its halves are asked for), or of the environment (``env:NAME``).

        Raises:
            InvalidInput: there is none, it is no key, or the halves do not open it.
        """
        if _is_of_environment(path):
            return cls(_of_environment(str(path).removeprefix(_ENVIRONMENT)))
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be read: {error.strerror}. A blinded run tells where its key is; name it with --key."
            ) from None
        except ValueError:
            said = None
        if is_locked(said):
            return cls(unlocked(said, path))
        try:
            root = bytes.fromhex(said["secret"])
            is_key = said["sevenfold key"] == _FORMAT and len(root) == _BYTES
        except (ValueError, KeyError, TypeError):
            is_key = False
        if not is_key:
            raise InvalidInput(f"{path} is not the key of a run; a blinded run tells where it keeps its key.")
        return cls(root)

    def write(self, path: Path) -> None:
        """Into a new file that only its owner may read.

        Raises:
            InvalidInput: the file exists, or can't be made.
        """
        self._put(path, {"sevenfold key": _FORMAT, "secret": self._root.hex()})

    def write_locked(self, path: Path, halves: tuple[str, str]) -> None:
        """Into a new file that opens with both halves of a passphrase, each known to another person.

        Raises:
            InvalidInput: a half is too short, the file exists or can't be made.
        """
        self._put(path, locked(self._root, halves))

    @staticmethod
    def _put(path: Path, said: dict[str, object]) -> None:
        text = json.dumps(said) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise InvalidInput(
                f"{path} exists already, and a key is not overwritten; name another file with --key."
            ) from None
        except OSError as error:
            raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    @property
    def vault(self) -> bytes:
        """The vault's secret."""
        return derived_key(self._root, "rehearsal: vault", _BYTES)

    @property
    def people(self) -> bytes:
        """What seals the second factors of people who work in a trial."""
        return derived_key(self._root, "people")

    @property
    def identities(self) -> bytes:
        """What seals the keys of the entries that say who the subjects are."""
        return derived_key(self._root, "identities")

    @property
    def signing(self) -> SigningKey:
        """The key that signs the ledger's head."""
        return SigningKey(derived_key(self._root, "rehearsal: signing key", _BYTES))


def key_beside(folder: Path) -> Path:
    """Where a blinded run keeps its key unless told otherwise: beside its folder, a copy of which then stays blind."""
    return folder.parent / f"{folder.name}.key"


def _is_of_environment(path: Path) -> bool:
    return str(path).startswith(_ENVIRONMENT)


def _of_environment(name: str) -> bytes:
    text = os.environ.get(name, "")
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(root) != _BYTES:
        raise InvalidInput(
            f"The environment's {name or 'variable'} holds no key: {2 * _BYTES} hexadecimal digits are wanted, such as "
            f"`openssl rand -hex {_BYTES}` makes."
        )
    return root
