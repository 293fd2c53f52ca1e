"""The posterior as the package ships it: draws in Parquet, and a JSON file with what they rest on and what they say."""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.posterior import Which
from sevenfold.calibrate.priors import priors
from sevenfold.errors import InvalidInput

__all__ = [
    "ABOUT",
    "FILES",
    "Posterior",
    "about_shipped",
    "read_about",
    "read_posterior",
    "shipped_posterior",
    "summaries",
    "write_posterior",
]

Floats = NDArray[np.float64]

FILES: Final[Mapping[Which, str]] = {"held out": "posterior-held-out.parquet", "all": "posterior-all.parquet"}
ABOUT: Final = "posterior.json"
_DIGITS: Final = 6  # of the standardised coordinates; a prior's standard deviation is 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Draws of one posterior.

    Args:
        which: with IRIS-7 and IRIS-7C held out, or with all of the evidence.
        draws: (draw, parameter) standard normal coordinates, in the order of the priors.
        log_likelihood: (draw,) as it was when they were drawn.
        sha256: of the file.
    """

    which: Which
    draws: Floats
    log_likelihood: Floats
    sha256: str

    def parameters(self) -> Mapping[str, Floats]:
        """By name, (draw,), in their units."""
        return {prior.name: prior.value(self.draws[:, k]) for k, prior in enumerate(priors())}


@cache
def shipped_posterior(which: Which) -> Posterior:
    """The posterior that the package ships."""
    with as_file(files(__package__).joinpath("data")) as folder:
        return read_posterior(folder, which)


@cache
def about_shipped() -> Mapping[str, Any]:
    """What the package says of its posteriors."""
    found: Mapping[str, Any] = json.loads(files(__package__).joinpath("data", ABOUT).read_text(encoding="utf-8"))
    return found


def read_about(folder: Path) -> Mapping[str, Any]:
    """What a folder says of its posteriors.

    Raises:
        InvalidInput: it holds none, or not both.
    """
    try:
        found: Mapping[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        missing = [which for which in FILES if which not in found]
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(f"{folder} holds no posterior ({error}); `sevenfold calibrate` makes one.") from None
    if missing:
        raise InvalidInput(f"{folder} holds no posterior {missing[0]!r} yet; `calibrate --resume` carries on.")
    return found


def read_posterior(folder: Path, which: Which) -> Posterior:
    """Read one posterior and hold it against its hash.

    Raises:
        InvalidInput: no posterior, another file than was described, or parameters that are not the priors'.
    """
    import polars as pl

    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        content = (folder / FILES[which]).read_bytes()
        stated = about[which]["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(f"{folder} holds no posterior ({error}); `sevenfold calibrate` makes one.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != stated:
        raise InvalidInput(f"{folder / FILES[which]} is not the file that {ABOUT} describes (its SHA-256 differs).")
    frame = pl.read_parquet(BytesIO(content))
    names = [prior.name for prior in priors()]
    if frame.columns != [*names, "log_likelihood"]:
        raise InvalidInput(f"{folder / FILES[which]} has other parameters than priors.toml; run `sevenfold calibrate`.")
    return Posterior(
        which=which,
        draws=frame.select(names).to_numpy(),
        log_likelihood=frame["log_likelihood"].to_numpy(),
        sha256=found,
    )


def rounded(draws: Floats) -> Floats:
    """Draws as they are shipped."""
    return np.round(draws, _DIGITS)


def write_posterior(folder: Path, which: Which, draws: Floats, log_likelihood: Floats) -> str:
    """Write draws; answers the file's SHA-256."""
    import polars as pl

    columns = {prior.name: draws[:, k] for k, prior in enumerate(priors())}
    frame = pl.DataFrame({**columns, "log_likelihood": np.round(log_likelihood, 4)})
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    _write_bytes(folder / FILES[which], buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what is said of the posteriors."""
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    _write_bytes(folder / ABOUT, text.encode())


def summaries(draws: Floats) -> list[dict[str, Any]]:
    """Median, 95 % interval and contraction of every parameter; contraction is 1 − var(posterior)/var(prior)."""
    made = []
    for k, prior in enumerate(priors()):
        lower, median, upper = prior.value(np.quantile(draws[:, k], (0.025, 0.5, 0.975)))
        made.append(
            {
                "name": prior.name,
                "median": float(median),
                "lower": float(lower),
                "upper": float(upper),
                "contraction": float(1.0 - draws[:, k].var(ddof=1)),
            }
        )
    return made


def versions() -> dict[str, str]:
    """What a posterior was made with."""
    import llvmlite
    import scipy

    from sevenfold import __version__

    return {
        "sevenfold": __version__, "python": platform.python_version(), "numpy": np.__version__,
        "scipy": scipy.__version__, "llvmlite": llvmlite.__version__, "machine": platform.machine(),
    }  # fmt: skip


def _write_bytes(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
