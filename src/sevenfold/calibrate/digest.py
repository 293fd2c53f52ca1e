"""What a posterior rests on, as hashes: the numbers of its evidence, and what turns them into a likelihood."""

import dataclasses
import hashlib
import json
from typing import Any

from sevenfold.calibrate.experiments import Evidence, Experiment
from sevenfold.calibrate.patients import N_PATIENTS
from sevenfold.calibrate.populations import populations, products
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.seen import HALF_LIFE_DAYS, RISE_FROM_DAY
from sevenfold.calibrate.simulate import ASSAY_LOG_SD
from sevenfold.mechanism.expression import in_order
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.solve import TOLERANCE
from sevenfold.mechanism.trace import trace_whole
from sevenfold.population.sampling import CORRELATED

__all__ = ["equations_hash", "evidence_hash", "model_hash"]


def evidence_hash(ours: Evidence) -> str:
    """SHA-256 of what a posterior rests on: experiments with their figures, populations, priors, the page's values."""
    content = {
        "arms": [dataclasses.asdict(arm) for arm in ours.arms.values()],
        "experiments": [_hashed(one) for one in ours.experiments],
        "populations": [dataclasses.asdict(one) for one in populations().values()],
        "products": [dataclasses.asdict(one) for one in products().values()],
        "priors": [(p.name, p.median, p.sd, p.shape) for p in priors()],
        "page": [(p.name, p.value, p.cv) for p in il7_page().parameters],
    }
    return _sha256(content)


def model_hash() -> str:
    """SHA-256 of what turns parameters into statistics: the page's equations, virtual patients, assays, solver."""
    content = {
        "equations": equations_hash(il7_page()),
        "n_patients": N_PATIENTS,
        "correlated": CORRELATED,
        "assay_log_sd": dict(ASSAY_LOG_SD),
        "windows": [RISE_FROM_DAY, *HALF_LIFE_DAYS],
        "tolerance": TOLERANCE,
    }
    return _sha256(content)


def equations_hash(page: Page) -> str:
    """SHA-256 of a page's traced equations: what they compute, not how they are written or called."""
    whole = trace_whole(page)
    roots = [*whole.traced.rates, *whole.traced.outputs, *whole.derived.values(), *whole.start]
    nodes = in_order(roots)
    place = {node.number: k for k, node in enumerate(nodes)}
    return _sha256(
        {
            "nodes": [(n.operation, n.value, n.name, [place[o.number] for o in n.operands]) for n in nodes],
            "roots": [place[node.number] for node in roots],
            "derived": list(whole.derived),
            "states": [(state.name, state.scale) for state in page.states],
            "outputs": [output.name for output in page.outputs],
            "entries": [dataclasses.asdict(entry) for entry in page.entries],
        }
    )


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _hashed(one: Experiment) -> dict[str, Any]:
    """An experiment without its words: what it says, not how."""
    figure = (one.figure.id, one.figure.value, one.figure.lo, one.figure.hi, one.figure.n, one.figure.verified)
    fields = {f.name: getattr(one, f.name) for f in dataclasses.fields(one) if f.name not in ("figure", "meaning")}
    fields["readings"] = [dataclasses.asdict(reading) for reading in one.readings]
    return {**fields, "figure": figure}
