"""The service's log: names with keys, one line each, of who came in, who did not, and what was refused.

A line holds ids and never a person's name, a login, what somebody typed, or an arm: what a subject went through
stands in the ledger alone. Values are written so that none can end its line or look like another key.
"""

import json
import logging
import re
import sys
import time
from typing import Final

__all__ = ["noted", "start_logging"]

_LOGGER: Final = logging.getLogger("sevenfold.service")
_PLAIN: Final = re.compile(r"[\w./{}:-]+\Z", re.ASCII)


def noted(name: str, *, level: int = logging.INFO, **keys: object) -> None:
    """Write a line.

    Args:
        name: what happened, such as ``session.begun``.
        keys: about whom and what.
    """
    _LOGGER.log(level, "%s", " ".join([name, *(f"{key}={_value(value)}" for key, value in keys.items())]))


def start_logging() -> None:
    """Send the log to the standard error stream, with times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    handler.setFormatter(form)
    _LOGGER.handlers[:] = [handler]
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False


def _value(value: object) -> str:
    text = str(value)[:200]
    return text if _PLAIN.match(text) else json.dumps(text)
