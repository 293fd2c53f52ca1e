"""What the vault has to know of a protocol."""

from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol
from sevenfold.trial.enrolling import stratum_of
from sevenfold.vault.supply import Supply

__all__ = ["supply_of"]


def supply_of(file: ProtocolFile) -> Supply:
    """What the vault has to know of a protocol."""
    p: Protocol = file.protocol
    return Supply(
        ratio=tuple(arm for arm, count in p.randomisation.ratio.items() for _ in range(count)),
        block_repeats=p.randomisation.block_repeats,
        strata=tuple(dict.fromkeys(stratum_of(file, site) for site in p.sites)),
        n_planned=p.population.planned,
        products={arm.id: {one.day: arm.product_on(one.day) for one in arm.calendar} for arm in p.arms},
        placebo_of={product.matches: name for name, product in p.products.items() if product.matches is not None},
    )
