"""Covariance structures over the visits: siblings of one shape, each a short file with only its mathematics new."""

from sevenfold.analysis.mmrm.covariance.antedependence import Antedependence
from sevenfold.analysis.mmrm.covariance.autoregressive import Autoregressive
from sevenfold.analysis.mmrm.covariance.by_group import ByGroup
from sevenfold.analysis.mmrm.covariance.compound_symmetry import CompoundSymmetry
from sevenfold.analysis.mmrm.covariance.exponential import Exponential
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.covariance.toeplitz import Toeplitz
from sevenfold.analysis.mmrm.covariance.unstructured import Unstructured

__all__ = [
    "Antedependence",
    "Autoregressive",
    "ByGroup",
    "CompoundSymmetry",
    "Exponential",
    "Structure",
    "Toeplitz",
    "Unstructured",
]
