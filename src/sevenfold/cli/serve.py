"""``sevenfold serve``: a trial's folder is made or opened, and its pages are served."""

import argparse
import ipaddress
import socket
import sys
from pathlib import Path

import uvicorn

from sevenfold.edge.keys import key_beside
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.service.app import app_of
from sevenfold.service.opening import admit_everybody, begin_trial, first_link, make_folder, opened

__all__ = ["serve"]


def serve(chosen: argparse.Namespace) -> int:
    """Open the trial and answer requests until Ctrl-C."""
    if not _is_here(chosen.host) and not chosen.behind_tls:
        raise InvalidInput(
            f"{chosen.host} can be reached from other machines, and passwords would travel in clear. Put a proxy with "
            "TLS before Sevenfold and say --behind-tls, or leave --host out."
        )
    folder = _folder_of(chosen)
    key = Path(chosen.key) if chosen.key else key_beside(folder)
    if not (folder / "trial.db").exists():
        _make(chosen, folder, key)
    room = opened(folder, key, is_demo=chosen.demo, is_behind_tls=chosen.behind_tls)
    address = f"http://{chosen.host}:{chosen.port}"
    with socket.socket() as probe:
        if chosen.port and probe.connect_ex((chosen.host, chosen.port)) == 0:
            raise InvalidInput(f"Something answers at {address} already; choose another --port.")
    link = first_link(room, address)
    print(f"{room.protocol.name}: {room.protocol.title}")
    print(f"Open {address} in a browser. Ctrl-C stops; nothing that was acknowledged is lost.")
    if link is not None:
        print(f"The first administrator begins here, once, within three days:\n  {link}")
    sys.stdout.flush()
    uvicorn.run(
        app_of(room), host=chosen.host, port=chosen.port, log_level="warning", server_header=False,
        proxy_headers=chosen.behind_tls, access_log=False,
    )  # fmt: skip
    room.conduct.ledger.close()
    return 0


def _folder_of(chosen: argparse.Namespace) -> Path:
    if chosen.folder:
        return Path(chosen.folder)
    name = load(chosen.protocol or "iris-7").protocol.name
    return Path("serve") / (f"{name}-demo" if chosen.demo else name)


def _make(chosen: argparse.Namespace, folder: Path, key: Path) -> None:
    """A new trial, or a demonstration with a rehearsed one in it."""
    file = load(chosen.protocol or "iris-7")
    if not chosen.demo:
        begin_trial(file, folder, key)
        return
    from sevenfold.cli.demo import rehearse_halfway

    rehearse_halfway(file, folder, make_folder(file, folder, key), is_quiet=chosen.quiet)
    room = opened(folder, key, is_demo=True)
    admit_everybody(room)
    room.conduct.ledger.close()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
