"""What every route asks for: exactly one right, or a place on the list of what is open to anybody.

The application is not made where a route asks for nothing, so a page that was forgotten at the gate is never served.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from sevenfold.errors import InvalidDesign
from sevenfold.service.role import Right

__all__ = ["PUBLIC", "PUBLIC_FOLDERS", "Declared", "check_declared", "declared"]

PUBLIC: Final = frozenset(
    {
        ("GET", "/"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("POST", "/login/as"),
        ("GET", "/begin/{token}"),
        ("POST", "/begin/{token}"),
        ("POST", "/language"),
    }
)
"""What anybody may ask for: the door, and the choice of a language."""
PUBLIC_FOLDERS: Final = frozenset({"/static"})
"""Files that are the same for everybody."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A route and what it asks for.

    Args:
        rights: of its dependencies; None among them: whoever is in.
    """

    method: str
    path: str
    rights: tuple[Right | None, ...]

    @property
    def is_public(self) -> bool:
        """Whether anybody may ask."""
        return (self.method, self.path) in PUBLIC

    @property
    def right(self) -> Right | None:
        """The one right that it asks for; None: whoever is in."""
        return self.rights[0]


def declared(app: FastAPI) -> list[Declared]:
    """Every route of an application and of those mounted in it, files of everybody apart.

    Raises:
        InvalidDesign: something answers requests that is no route of ours.
    """
    return list(_among(app.routes, ""))


def check_declared(app: FastAPI) -> None:
    """Refuse an application with a route that asks for no right or for several.

    Raises:
        InvalidDesign: which.
    """
    for one in declared(app):
        if len(one.rights) != (0 if one.is_public else 1):
            raise InvalidDesign(
                f"{one.method} {one.path} asks for {len(one.rights)} rights; a route asks for one (`seated`, `posted`) "
                "or stands among PUBLIC in service/declared.py and asks for none."
            )


def _among(routes: Iterable[BaseRoute], before: str) -> Iterator[Declared]:
    for route in routes:
        included: Any = getattr(route, "original_router", None)
        if included is not None:
            yield from _among(included.routes, before)
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from _among(route.app.routes, before + route.path)
        elif isinstance(route, APIRoute):
            called = [one.call for one in route.dependant.dependencies]
            rights = tuple(getattr(call, "right") for call in called if hasattr(call, "right"))  # noqa: B009
            for method in sorted(route.methods or ()):
                yield Declared(method=method, path=before + route.path, rights=rights)
        elif isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield Declared(method=method, path=before + route.path, rights=())
        elif not (isinstance(route, Mount) and before + route.path in PUBLIC_FOLDERS):
            raise InvalidDesign(f"{route!r} answers requests and asks for nothing; make it a route of ours.")
