"""What a browser keeps for us: the session, that somebody came in from it before, and the language.

No script and no other site's request gets at them. Behind TLS they go over TLS alone and bear ``__Host-`` before their
name, which a browser takes from this host alone: no other machine of the domain, and no answer without TLS, can plant
one. On this machine without TLS a browser takes no such name, and they are plain.
Source: RFC 6265bis, 4.1.3; OWASP ASVS 5.0, 3.3.
"""

from enum import StrEnum

from fastapi import Request, Response

__all__ = ["Cookie", "cookie_of", "drop_cookie", "keep_cookie", "name_of"]


class Cookie(StrEnum):
    """Each, by its plain name."""

    SESSION = "sevenfold"
    DEVICE = "sevenfold_device"
    LANGUAGE = "language"


def name_of(cookie: Cookie, *, is_behind_tls: bool) -> str:
    """Under which a browser keeps it."""
    return f"__Host-{cookie}" if is_behind_tls else cookie.value


def cookie_of(request: Request, cookie: Cookie) -> str | None:
    """What a browser sent."""
    return request.cookies.get(_named(request, cookie))


def keep_cookie(request: Request, answer: Response, cookie: Cookie, value: str, for_s: int | None = None) -> None:
    """Let the browser keep something.

    Args:
        for_s: how long [s]; None: until it is closed.
    """
    answer.set_cookie(
        _named(request, cookie), value, max_age=for_s, httponly=True, path="/", secure=_is_behind_tls(request),
        samesite="lax" if cookie is Cookie.LANGUAGE else "strict",
    )  # fmt: skip


def drop_cookie(request: Request, answer: Response, cookie: Cookie) -> None:
    """Let the browser keep it no longer."""
    keep_cookie(request, answer, cookie, "", 0)


def _named(request: Request, cookie: Cookie) -> str:
    return name_of(cookie, is_behind_tls=_is_behind_tls(request))


def _is_behind_tls(request: Request) -> bool:
    return bool(request.app.state.room.is_behind_tls)
