"""A trial's archive: one zip of open formats that can be read and verified in thirty years without Sevenfold.

Events as JSON lines, the protocol, the signed head, tables as CSV, and a script in bare Python that verifies the chain.
Before the unblinding it holds no arm: masked results are the sealed texts that the ledger holds.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import IO, Final

from sevenfold import __version__
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.event import Event
from sevenfold.record.head import Head
from sevenfold.record.history import History, read_history
from sevenfold.record.layout import EVENT
from sevenfold.record.place import Place
from sevenfold.record.reading import event_of, looked_at, read_head, rows_of
from sevenfold.record.signatures import COLUMNS as COLUMNS_OF_SIGNATURES
from sevenfold.record.signatures import signatures
from sevenfold.record.store import store_of
from sevenfold.record.tables import COLUMNS, TABLES, Row
from sevenfold.record.verify import Verification, verify
from sevenfold.service.spreadsheet import safe_cell

__all__ = ["HOW_SIGNED", "archive", "as_csv", "as_line", "head_told", "table_as_csv"]

_README: Final = """\
{title}
{line}
State: {state}; {count} events.

events.jsonl   what happened, one event a line, in order. "payload" is the text whose SHA-256 is part of the event's own
               hash: leave it as it is. Times of happening are the site's, of recording UTC. A text under "sealed" is
               a masked result (AES-SIV, RFC 5297; padded to 4096 bytes); the event "Unblinded", once there, holds the
               key.
head.json      number and hash of the last event, signed (Ed25519) with the trial's key.
protocol.yaml  what was planned; its SHA-256 stands in the first event.
tables/        the same as CSV (UTF-8, comma, one header line; empty: not there), as far as it is open. A text that a
               spreadsheet would work out (it begins with = + - @) stands behind an apostrophe.
{signatures}
verify.py      python verify.py checks every hash, every link and the head, with Python alone; the signature too where
               the library "cryptography" is installed.

How an event's hash is made: SHA-256 of the JSON list, without spaces and in UTF-8,
[1, sequence, type, schema_version, subject, site, actor, happened_at, recorded_at, SHA-256 of payload, previous_hash];
the first event's previous_hash is 64 zeros. What is signed: ["sevenfold ledger head", 1, count, hash, state].
"""

HOW_SIGNED: Final = """\
signatures.csv who signed which data electronically: printed name, date and time (UTC, and as the site's clock showed),
               what the signature means, and whether it still stands. A row of tables/ stands under each signature of
               its subject whose "visit" is empty (everything of the subject) or the row's own. Exactly: "signed_events"
               are the numbers of the events that were signed, "digest" is the SHA-256 of the JSON list, without spaces
               and in UTF-8, ["sevenfold signed", 1, visit or null, [hashes of these events]]. A later event of the same
               data makes a signature void: "void_since_event". Sealed results, and what others than the site did, are
               not signed.\
"""
"""What a README tells of the signatures."""


def archive(place: Place, protocol: Path, target: Path) -> Verification:
    """Write the archive of a ledger that holds; a trial may be running, its archive is then one of now.

    Raises:
        InvalidInput: the file exists, or there is no ledger.
        AuditBroken: the ledger does not hold.
    """
    if target.exists():
        raise InvalidInput(f"{target} exists already; an archive is never overwritten.")
    found = verify(place)
    if found.faults:
        raise AuditBroken(f"The ledger cannot be archived, it does not hold: {found.faults[0]}")
    file, store = load(str(protocol)), store_of(place)
    draft = target.with_name(f"{target.name}.unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as kept,
            looked_at(place, store) as connection,
        ):
            head = read_head(place, connection)
            with kept.open("events.jsonl", "w", force_zip64=True) as lines:
                events = list(_written(map(event_of, rows_of(store, connection)), lines))
            history = read_history(events)
            kept.writestr("head.json", json.dumps(head_told(head), indent=1) + "\n")
            kept.writestr("protocol.yaml", file.text)
            for name in TABLES:
                kept.writestr(f"tables/{name}.csv", table_as_csv(name, history, file.protocol))
            kept.writestr("signatures.csv", as_csv(COLUMNS_OF_SIGNATURES, signatures(events)))
            kept.writestr("verify.py", files("sevenfold.service").joinpath("archive_verify.py").read_text("utf-8"))
            title = f"{file.protocol.name}: the record of a trial, as Sevenfold {__version__} kept it"
            told = {"title": title, "line": "=" * len(title), "state": head.state.value, "count": head.count}
            readme = _README.format(**told, signatures=HOW_SIGNED)
            kept.writestr("README.txt", readme)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return found


def _written(events: Iterator[Event], lines: IO[bytes]) -> Iterator[Event]:
    """The events as they pass by, each written as a line."""
    for event in events:
        lines.write(as_line(event))
        yield event


def as_line(event: Event) -> bytes:
    """An event as a line of JSON; its payload is the text that was hashed."""
    said = {column.name: getattr(event, column.name) for column in EVENT.columns} | {"payload": event.payload.decode()}
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def table_as_csv(name: str, history: History, protocol: Protocol) -> str:
    """A table of the record as CSV, with its header line."""
    return as_csv(COLUMNS[name], TABLES[name](history, protocol))


def as_csv(columns: Iterable[str], rows: Iterable[Row]) -> str:
    """Rows as CSV, with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: safe_cell(cell) for key, cell in row.items()} for row in rows)
    return text.getvalue()


def head_told(head: Head) -> dict[str, object]:
    """A head as JSON tells it."""
    return {
        "count": head.count, "hash": head.hash, "state": head.state.value, "public_key": head.public_key,
        "signature": head.signature,
    }  # fmt: skip
