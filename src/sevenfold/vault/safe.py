"""The vault's file: lists in sealed texts of one length, each bound to its place, in an SQLite table."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, final
from urllib.parse import quote

from sevenfold.errors import InvalidInput
from sevenfold.sealing import open_sealed, seal

__all__ = ["Safe"]

_CHUNK: Final = 25  # items a sealed text holds


@final
@dataclass(frozen=True, slots=True)
class Safe:
    """Named lists of plain values, sealed. Made by :meth:`create` or :meth:`open`."""

    path: Path
    _key: bytes = field(repr=False)

    @classmethod
    def create(cls, path: Path, key: bytes) -> Self:
        """A new, empty file.

        Raises:
            InvalidInput: it exists.
        """
        if path.exists():
            raise InvalidInput(f"{path} exists already; a vault is never overwritten.")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE sealed (name TEXT PRIMARY KEY, text TEXT NOT NULL)")
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """A file that is there.

        Raises:
            InvalidInput: it is not.
        """
        if not path.is_file():
            raise InvalidInput(f"There is no vault {path}.")
        return cls(path, key)

    def put(self, lists: Mapping[str, tuple[Sequence[Any], Iterable[int]]]) -> None:
        """Write lists, all in one transaction, which is on the disk when this returns.

        Args:
            lists: by name, with the indices of the items that are not there yet or are others now.
        """
        rows = [row for name, (items, changed) in lists.items() for row in self._rows(name, items, changed)]
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?)", rows)
            there = [place for (place,) in connection.execute("SELECT name FROM sealed")]
            beyond = [(place,) for place in there if _is_beyond(place, lists)]
            connection.executemany("DELETE FROM sealed WHERE name = ?", beyond)

    def take(self) -> dict[str, list[Any]]:
        """Every list, by name.

        Raises:
            InvalidInput: the file is no vault.
            AuditBroken: it is sealed under another key, or was altered.
        """
        try:
            rows = self._rows_kept("ro")
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise InvalidInput(f"{self.path} is not a vault: {error}.") from None
            rows = self._rows_kept("rw")  # a server was killed while it wrote: what it had begun is taken back first
        except sqlite3.Error as error:
            raise InvalidInput(f"{self.path} is not a vault: {error}.") from None
        found: dict[str, list[Any]] = {}
        for place in sorted(rows, key=_number):
            found.setdefault(place.rpartition(" ")[0], []).extend(open_sealed(self._key, place, rows[place]))
        return found

    def _rows_kept(self, mode: str) -> dict[str, str]:
        with closing(sqlite3.connect(f"file:{quote(str(self.path))}?mode={mode}", uri=True)) as connection:
            return dict(connection.execute("SELECT name, text FROM sealed").fetchall())

    def _rows(self, name: str, items: Sequence[Any], changed: Iterable[int]) -> Iterator[tuple[str, str]]:
        for chunk in sorted({index // _CHUNK for index in changed}):
            place = f"{name} {chunk}"
            yield place, seal(self._key, place, list(items[chunk * _CHUNK : (chunk + 1) * _CHUNK]))


def _is_beyond(place: str, lists: Mapping[str, tuple[Sequence[Any], Iterable[int]]]) -> bool:
    """Whether a sealed text belongs to one of these lists and lies behind its end, which was farther once."""
    name, chunk = _number(place)
    return name in lists and chunk * _CHUNK >= len(lists[name][0])


def _number(place: str) -> tuple[str, int]:
    name, _, number = place.rpartition(" ")
    return name, int(number)
