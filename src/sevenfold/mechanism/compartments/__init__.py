"""A library of pages: one to three compartments, target-mediated disposition, and what a drug does to a turnover."""

from sevenfold.mechanism.compartments.disposition import Elimination, compartment_page
from sevenfold.mechanism.compartments.indirect_response import Effect, with_indirect_response
from sevenfold.mechanism.compartments.myelosuppression import with_myelosuppression
from sevenfold.mechanism.compartments.target_mediated import target_mediated_page

__all__ = [
    "Effect",
    "Elimination",
    "compartment_page",
    "target_mediated_page",
    "with_indirect_response",
    "with_myelosuppression",
]
