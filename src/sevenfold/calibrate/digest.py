"""What a posterior rests on, as hashes: the numbers of its evidence, and what turns them into a likelihood."""

import dataclasses
import hashlib
import json
from typing import Any

from sevenfold.calibrate.experiments import Evidence, Experiment
from sevenfold.calibrate.populations import populations, products
from sevenfold.calibrate.priors import priors
from sevenfold.mechanism.il7 import il7_page

__all__ = ["evidence_hash"]


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
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _hashed(one: Experiment) -> dict[str, Any]:
    """An experiment without its words: what it says, not how."""
    figure = (one.figure.id, one.figure.value, one.figure.lo, one.figure.hi, one.figure.n, one.figure.verified)
    fields = {f.name: getattr(one, f.name) for f in dataclasses.fields(one) if f.name not in ("figure", "meaning")}
    fields["readings"] = [dataclasses.asdict(reading) for reading in one.readings]
    return {**fields, "figure": figure}
