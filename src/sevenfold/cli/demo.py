"""A demonstration's trial: rehearsed until about half of the subjects are in, and left running."""

from pathlib import Path
from typing import Final

from sevenfold.cli.progress import Stages
from sevenfold.cli.rehearsal import stage
from sevenfold.edge.keys import Secrets
from sevenfold.protocol.load import ProtocolFile
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.icu.nature import warm_up
from sevenfold.trial.rehearse import rehearse

__all__ = ["rehearse_halfway"]

_SEED: Final = 1
_SHARE: Final = 0.6  # of the planned subjects, randomised when the demonstration begins


def rehearse_halfway(file: ProtocolFile, folder: Path, secrets: Secrets, *, is_quiet: bool) -> None:
    """Rehearse a trial in a folder up to the middle of it."""
    planned = file.protocol.population.planned
    wanted = max(int(_SHARE * planned), 1)
    with Stages(is_quiet=is_quiet) as stages:
        with stages.stage("Preparing the model of IL-7 and T cells", 1):
            warm_up()
        trial = stage(file, folder, _SEED, shipped(), secrets)
        with stages.stage("Rehearsing half of a trial", wanted) as step:

            def far_enough(conduct: Conduct) -> bool:
                step(min(conduct.n_randomised, wanted), wanted)
                return conduct.n_randomised >= wanted

            rehearse(trial.conduct, trial.nature, trial.clock, _SEED, lambda _done, _of: None, stops_at=far_enough)
    trial.vault.persist()
    trial.conduct.ledger.close()
