"""The investigator's own copy: everything recorded of the site's subjects, kept where the sponsor cannot reach it.

A zip of open formats: events as JSON lines with their hashes, tables as CSV, the signed head of the whole ledger. The
ledger keeps the copy's SHA-256, so copy and ledger can be held against each other at any time.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Final, final

from sevenfold.record.history import read_history
from sevenfold.record.signatures import COLUMNS, signatures
from sevenfold.record.tables import TABLES
from sevenfold.service.archive import HOW_SIGNED, as_csv, as_line, head_told, table_as_csv
from sevenfold.service.room import Room

__all__ = ["OwnCopy", "copy_of"]

_README: Final = """\
{trial}: what is recorded of the subjects of site {site}
State of the trial: {state}; {n} of its {count} events are of this site's subjects.

events.jsonl   one event a line, in the order of the record. "hash" covers the event and everything recorded before it;
               the hash of "payload" is part of it. A text under "sealed" is a masked result.
tables/        the same as CSV (UTF-8, comma, one header line; empty: not there), as far as it is open. A text that a
               spreadsheet would work out (it begins with = + - @) stands behind an apostrophe.
{signatures}
head.json      number and hash of the last event of the whole record, signed (Ed25519).

The record keeps the SHA-256 of events.jsonl as an event of its own (CopyTaken): {digest}
An event's own hash is the SHA-256 of the JSON list, without spaces and in UTF-8,
[1, sequence, type, schema_version, subject, site, actor, happened_at, recorded_at, SHA-256 of payload, previous_hash].
"""


_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCopy:
    """A copy. ``digest`` is the SHA-256 of its events."""

    content: bytes
    n_events: int
    digest: str


def copy_of(room: Room, site: str) -> OwnCopy:
    """A site's subjects as the signed head has them; with their arms after the unblinding, and of no other site.

    It is made beside the steps that others take meanwhile, and waits for none.
    """
    ledger, names = room.conduct.ledger, list(room.conduct.standings)
    head, kept = ledger.head, io.BytesIO()
    found = [event for name in names if room.conduct.site_of(name) == site for event in ledger.events_of(name)]
    events = sorted((one for one in found if one.sequence <= head.count), key=lambda event: event.sequence)
    of_trial = [one for one in ledger.events_of_trial() if one.sequence <= head.count]
    every = sorted([*of_trial, *events], key=lambda event: event.sequence)
    history = read_history(every)
    lines = b"".join(map(as_line, events))
    digest = hashlib.sha256(lines).hexdigest()
    with zipfile.ZipFile(kept, "w") as zipped:
        _put(zipped, "events.jsonl", lines)
        for name in TABLES:
            _put(zipped, f"tables/{name}.csv", table_as_csv(name, history, room.protocol))
        _put(zipped, "signatures.csv", as_csv(COLUMNS, signatures(every)))
        _put(zipped, "head.json", json.dumps(head_told(head), indent=1) + "\n")
        told = {"trial": room.protocol.name, "site": site, "state": head.state.value, "n": len(events)}
        _put(zipped, "README.txt", _README.format(**told, count=head.count, digest=digest, signatures=HOW_SIGNED))
    return OwnCopy(content=kept.getvalue(), n_events=len(events), digest=digest)


def _put(zipped: zipfile.ZipFile, name: str, content: str | bytes) -> None:
    """A file without a time of its own: a copy of the same record is the same to the byte."""
    zipped.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
