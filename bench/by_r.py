"""R's mrgsolve and rxode2 on the same model, patients, doses and looks, where they are installed."""

import csv
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from setting import AMOUNT_UG, DOSE_DAYS, LOOKS, PAGE
from sevenfold.mechanism.page import Named
from sevenfold.mechanism.solve import Patients

__all__ = ["PACKAGES", "TOLERANCES", "difference_of_text", "follow", "is_installed"]

Floats = NDArray[np.float64]
PACKAGES: Final = ("mrgsolve", "rxode2")
TOLERANCES: Final = (3e-5, 1e-5, 5e-6, 2e-6)  # loosest first; the first that keeps all its patients is the one timed
_STATES = ("A0", "A1", "A2", "r4", "r8", "E1", "E2", "Z", "B", "H", "Q4", "P4", "Q8", "P8", "BC", "NK")


def is_installed(package: str) -> bool:
    """Whether R can load the package."""
    if shutil.which("Rscript") is None:
        return False
    asked = subprocess.run(["Rscript", "-e", f"library({package})"], capture_output=True, check=False)
    return asked.returncode == 0


def follow(package: str, patients: Patients, tolerance: float, turns: int) -> tuple[Floats, list[float]]:
    """What is seen after intramuscular doses, as (output, patient, look), and the seconds of each turn.

    Raises:
        subprocess.CalledProcessError: R fails.
    """
    n = len(patients)
    with tempfile.TemporaryDirectory(prefix="sevenfold-bench-") as name:
        folder = Path(name)
        columns = {key: value for key, value in patients.values.items() if key != "bioavailable_fraction"}
        columns |= {f"init_{state}": patients.states[:, k] for k, state in enumerate(_STATES)}
        _write(folder / "patients.csv", ["ID", *columns], zip(range(1, n + 1), *columns.values(), strict=True))
        stops = sorted([(day, 0) for day in LOOKS] + [(day, 1) for day in DOSE_DAYS])
        share = patients.values["bioavailable_fraction"]
        _write(
            folder / "records.csv",
            ["ID", "time", "evid", "amt", "cmt"],
            ((i + 1, day, kind, kind * AMOUNT_UG * share[i], 1) for i in range(n) for day, kind in stops),
        )
        _write(folder / "scales.csv", ["scale"], ([state.scale] for state in PAGE.states))
        script = Path(__file__).with_name("by_r.R")
        said = subprocess.run(
            ["Rscript", str(script), package, str(folder), str(tolerance), str(turns)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        states = np.loadtxt(folder / "seen.csv", delimiter=",", skiprows=1).reshape(n, len(LOOKS), len(_STATES))
    seconds = [float(line.split()[1]) for line in said.splitlines() if line.startswith("seconds")]
    values = Named(**{key: value[:, np.newaxis] for key, value in patients.values.items()})
    y = Named(**{state.name: states[:, :, k] for k, state in enumerate(PAGE.states)})
    looked = PAGE.observe(np.array(LOOKS), y, values)
    return np.stack([np.broadcast_to(looked[output.name], (n, len(LOOKS))) for output in PAGE.outputs]), seconds


def difference_of_text(patients: Patients) -> float:
    """The largest relative difference between the rates of the text given to R and the page's, over random states.

    The text is plain arithmetic, so that Python reads it too: it can be checked where R's packages are not installed.
    """
    text = Path(__file__).with_name("il7_ode.txt").read_text(encoding="utf-8").replace("double ", "").replace(";", "")
    varied = patients.states * np.random.default_rng(1).uniform(0.5, 2.0, patients.states.shape) + 0.01
    names = dict(zip(_STATES, varied.T, strict=True)) | patients.values
    names |= {"TIME_DAY": np.float64(3.0), "fmax": np.maximum, "fmin": np.minimum, "exp": np.exp, "log": np.log}
    exec(text, {}, names)  # our own file
    y = Named(**{state.name: varied[:, k] for k, state in enumerate(PAGE.states)})
    change = PAGE.rates(3.0, y, Named(**patients.values))
    pairs = ((names[f"dxdt_{short}"], change[state.name]) for short, state in zip(_STATES, PAGE.states, strict=True))
    return max(float(np.max(np.abs(a - b) / (np.abs(b) + 1e-9))) for a, b in pairs)


def _write(path: Path, head: list[str], rows: object) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)  # type: ignore[arg-type]
