"""The second factor: six digits that change every half minute. Source: [rfc6238]."""

import pyotp
import segno

__all__ = ["factor_picture", "factor_step", "is_factor", "new_factor"]

_ISSUER = "Sevenfold"
_STEP_S = 30


def new_factor() -> str:
    """A new secret, in the letters that an authenticator reads."""
    return pyotp.random_base32()


def is_factor(text: str) -> bool:
    """Whether a text is a secret as we draw them."""
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def factor_picture(secret: str, login: str) -> str:
    """The secret as a picture (SVG) that an authenticator scans."""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)
    picture: str = segno.make(address, micro=False).svg_inline(scale=4, border=3, light="#fff", omitsize=False)
    return picture


def factor_step(secret: str, code: str, now_s: float, last_step: int) -> int | None:
    """The time step whose code this is: the present one or one beside it, later than the last that was taken.

    A code opens once: the step is kept, and no code of it or of an earlier one is taken again.
    """
    digits = code.replace(" ", "")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    present = int(now_s // _STEP_S)
    for step in (present, present - 1, present + 1):
        if step > last_step and pyotp.TOTP(secret).verify(digits, for_time=step * _STEP_S, valid_window=0):
            return step
    return None
