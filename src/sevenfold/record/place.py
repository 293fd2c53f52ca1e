"""Where a ledger lies: in a file of SQLite, or in a PostgreSQL database named by its address."""

import os
import ssl
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput

__all__ = ["Place", "engine_arguments", "place_of", "shown"]

Place = Path | sa.URL
_DRIVER: Final = "postgresql+pg8000"
_PORT: Final = 5432
_KNOWN: Final = {"host", "unix_sock", "sslmode", "sslrootcert"}


def place_of(text: str) -> Place:
    """What a person typed: the path of a file, or an address like ``postgresql://user@host/database``.

    A socket's folder is given as PostgreSQL's own programs take it: ``postgresql://user@/database?host=/run/postgresql``.

    Raises:
        InvalidInput: an address that is none of PostgreSQL's, or asks for what there is not.
    """
    if "://" not in text:
        return Path(text)
    try:
        address = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidInput("The database's address cannot be read; write postgresql://user@host/database.") from None
    if address.drivername not in ("postgresql", "postgres", _DRIVER):
        raise InvalidInput(f"There is no database {address.drivername!r}; write postgresql://user@host/database.")
    unknown = sorted(set(address.query) - _KNOWN)
    if unknown or not address.database or not address.username:
        what = f"{unknown[0]!r} is not known" if unknown else "it names no user or no database"
        raise InvalidInput(f"The database's address cannot be used: {what}; write postgresql://user@host/database.")
    return address.set(drivername=_DRIVER)


def shown(place: Place) -> str:
    """A place as it may be printed: an address without its password."""
    if isinstance(place, Path):
        return str(place)
    bare = sa.URL.create("postgresql", place.username, None, place.host, place.port, place.database, place.query)
    return bare.render_as_string(hide_password=False)


def engine_arguments(address: sa.URL) -> dict[str, Any]:
    """How an engine is made for an address: the password may come from ``PGPASSWORD``, and the socket's folder and TLS
    are said in the address.

    Raises:
        InvalidInput: a way of encrypting that is not offered.
    """
    said = {name: value if isinstance(value, str) else value[-1] for name, value in address.query.items()}
    arguments: dict[str, Any] = {"application_name": "sevenfold"}
    socket = said.get("unix_sock")
    if "host" in said:
        socket = f"{said['host'].rstrip('/')}/.s.PGSQL.{address.port or _PORT}"
    if socket is not None:
        arguments["unix_sock"] = socket
    mode = said.get("sslmode", "disable")
    if mode == "verify-full":
        arguments["ssl_context"] = ssl.create_default_context(cafile=said.get("sslrootcert"))
    elif mode != "disable":
        raise InvalidInput(f"sslmode={mode} is not offered; say verify-full, or leave it out where nobody listens.")
    password = address.password or os.environ.get("PGPASSWORD")
    return {
        "url": sa.URL.create(_DRIVER, address.username, password, address.host, address.port, address.database),
        "connect_args": arguments,
    }
