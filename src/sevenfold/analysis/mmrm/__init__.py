"""The mixed model for repeated measures: patients measured over visits, some missed, with small-sample tests."""

from sevenfold.analysis.mmrm.covariance import (
    Antedependence,
    Autoregressive,
    ByGroup,
    CompoundSymmetry,
    Exponential,
    Toeplitz,
    Unstructured,
)
from sevenfold.analysis.mmrm.fallback import PRESPECIFIED, FallbackFit, fit_with_fallback
from sevenfold.analysis.mmrm.fit import Counts, Criteria, Estimates, MmrmFit
from sevenfold.analysis.mmrm.formula import FormulaModel, formula_model
from sevenfold.analysis.mmrm.freedom import (
    BetweenWithin,
    Information,
    JointTest,
    KenwardRoger,
    Residual,
    Satterthwaite,
)
from sevenfold.analysis.mmrm.likelihood import Estimation
from sevenfold.analysis.mmrm.longitudinal import LeftOut, Longitudinal, without_missing
from sevenfold.analysis.mmrm.mmrm import Mmrm
from sevenfold.analysis.mmrm.sandwich import Empirical
from sevenfold.analysis.mmrm.trial_model import Covariate, Factor, Margins, TrialModel, trial_model

__all__ = [
    "PRESPECIFIED",
    "Antedependence",
    "Autoregressive",
    "BetweenWithin",
    "ByGroup",
    "CompoundSymmetry",
    "Counts",
    "Covariate",
    "Criteria",
    "Empirical",
    "Estimates",
    "Estimation",
    "Exponential",
    "Factor",
    "FallbackFit",
    "FormulaModel",
    "Information",
    "JointTest",
    "KenwardRoger",
    "LeftOut",
    "Longitudinal",
    "Margins",
    "Mmrm",
    "MmrmFit",
    "Residual",
    "Satterthwaite",
    "Toeplitz",
    "TrialModel",
    "Unstructured",
    "fit_with_fallback",
    "formula_model",
    "trial_model",
    "without_missing",
]
