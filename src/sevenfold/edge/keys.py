"""The secrets of a run: what opens its vault and signs its ledger.

A rehearsal that is unblinded takes them from its seed, so that it can be repeated to the byte; whoever knows the seed
knows the list, and the blind is one of procedure. A blinded run draws them from the machine and keeps them in a file of
their own, which only its owner may read.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, final

from sevenfold.errors import InvalidInput
from sevenfold.record.head import SigningKey
from sevenfold.sealing import derived_key

__all__ = ["Secrets", "key_beside"]

_FORMAT: Final = 1
_BYTES: Final = 32


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
    def read(cls, path: Path) -> Self:
        """Those of a key file.

        Raises:
            InvalidInput: there is none, or it is no key.
        """
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            root = bytes.fromhex(said["secret"])
            is_key = said["sevenfold key"] == _FORMAT and len(root) == _BYTES
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be read: {error.strerror}. A blinded run tells where its key is; name it with --key."
            ) from None
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
        text = json.dumps({"sevenfold key": _FORMAT, "secret": self._root.hex()}) + "\n"
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
