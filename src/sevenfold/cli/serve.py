"""``sevenfold serve``: a trial's folder is made or opened, and its pages are served."""

import argparse
import ipaddress
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
import uvicorn

from sevenfold.edge.keys import key_beside
from sevenfold.edge.predicted import scheme_told
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.place import place_of
from sevenfold.service.app import app_of
from sevenfold.service.identities.recorded import closed
from sevenfold.service.log import start_logging
from sevenfold.service.opening import (
    admit_everybody,
    begin_trial,
    deliver_everywhere,
    first_link,
    is_there,
    make_folder,
    opened,
)
from sevenfold.service.room import Room

__all__ = ["database_of", "serve"]


def serve(chosen: argparse.Namespace) -> int:
    """Open the trial and answer requests until Ctrl-C."""
    if not _is_here(chosen.host) and not chosen.behind_tls:
        raise InvalidInput(
            f"{chosen.host} can be reached from other machines, and passwords would travel in clear. Put a proxy with "
            "TLS before Sevenfold and say --behind-tls, or leave --host out."
        )
    file = None if chosen.folder and is_there(Path(chosen.folder)) else load(chosen.protocol or "iris-7")
    folder = _folder_of(chosen, file)
    key = Path(chosen.key) if chosen.key else key_beside(folder)
    database = database_of(chosen.database)
    if file is not None and not is_there(folder):
        _make(chosen, file, folder, key, database)
    address = _address_of(chosen)
    room = opened(
        folder, key, database=database, is_demo=chosen.demo, is_behind_tls=chosen.behind_tls,
        address="" if chosen.behind_tls and not chosen.address else address,
    )  # fmt: skip
    with socket.socket() as probe:
        if chosen.port and probe.connect_ex((chosen.host, chosen.port)) == 0:
            raise InvalidInput(
                f"Something answers at http://{chosen.host}:{chosen.port} already; choose another --port."
            )
    link = first_link(room, address)
    print(f"{room.protocol.name}: {room.protocol.title}")
    print(f"Open {address} in a browser. Ctrl-C stops; nothing that was acknowledged is lost.")
    if link is not None:
        print(f"The first administrator begins here, once, within three days:\n  {link}")
    _warn_of_closed_identities(room)
    sys.stdout.flush()
    start_logging()
    uvicorn.run(
        app_of(room), host=chosen.host, port=chosen.port, log_level="warning", server_header=False,
        proxy_headers=chosen.behind_tls, access_log=False,
    )  # fmt: skip
    room.close()
    return 0


def _warn_of_closed_identities(room: Room) -> None:
    """Say on the console which entries the record speaks of and no key opens, and where keys are looked for."""
    names, keys = closed(room.conduct.ledger, room.identities), room.identities.keys
    if names:
        why = "do not open them" if keys.is_there else "are missing"
        print(
            f"Warning: who a subject is cannot be opened for {', '.join(names[:3])}{' and others' * (len(names) > 3)}, "
            f"though the record says that it is kept: the keys in {keys.path} {why}. Put the file back there and start "
            "again. Until then texts are not compared with these entries."
        )


def _address_of(chosen: argparse.Namespace) -> str:
    """Under which people reach the pages: as it was said, else where the server listens."""
    if not chosen.address:
        return f"http://{chosen.host}:{chosen.port}"
    said = urlsplit(chosen.address.rstrip("/"))
    if said.scheme not in ("https", "http") or not said.hostname or said.path or said.query or said.fragment:
        raise InvalidInput(f"--address {chosen.address!r} is no address of a site; write https://trial.example.")
    if chosen.behind_tls and said.scheme != "https":
        raise InvalidInput(f"--address {chosen.address!r} is not TLS's; behind TLS it begins with https://.")
    return f"{said.scheme}://{said.netloc}"


def database_of(said: str | None) -> sa.URL | None:
    """The PostgreSQL database that was named by ``--database`` or by ``SEVENFOLD_DATABASE``; None for files.

    Raises:
        InvalidInput: it is no such address.
    """
    text = said or os.environ.get("SEVENFOLD_DATABASE")
    if not text:
        return None
    place = place_of(text)
    if isinstance(place, Path):
        raise InvalidInput(f"{text[:40]!r} is no database's address; write postgresql://user@host/database.")
    return place


def _folder_of(chosen: argparse.Namespace, file: ProtocolFile | None) -> Path:
    if file is None or chosen.folder:
        return Path(chosen.folder)
    return Path("serve") / (f"{file.protocol.name}-demo" if chosen.demo else file.protocol.name)


def _make(chosen: argparse.Namespace, file: ProtocolFile, folder: Path, key: Path, database: sa.URL | None) -> None:
    """A new trial, or a demonstration with a rehearsed one in it."""
    if not chosen.demo:
        for sentence in scheme_told(file):
            print(sentence)
        begin_trial(file, folder, key, database)
        return
    if database is not None:
        raise InvalidInput("A demonstration lies in files; leave --database out.")
    from sevenfold.cli.demo import rehearse_halfway

    rehearse_halfway(file, folder, make_folder(file, folder, key), is_quiet=chosen.quiet)
    room = opened(folder, key, is_demo=True)
    admit_everybody(room)
    deliver_everywhere(room)
    room.close()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
