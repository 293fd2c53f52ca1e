"""Missing data as the estimand says: imputation under missing at random or by reference, and tipping points."""

from sevenfold.analysis.imputation.assumption import Assumption
from sevenfold.analysis.imputation.base_model import ImputationModel
from sevenfold.analysis.imputation.completion import Answer, ImputationFit, Imputed
from sevenfold.analysis.imputation.conditional_mean import ConditionalMean, Uncertainty
from sevenfold.analysis.imputation.courses import DROPOUT, Courses, courses_from_rows
from sevenfold.analysis.imputation.drawing import Posterior, Resampled
from sevenfold.analysis.imputation.multiple import MultipleImputation
from sevenfold.analysis.imputation.rubin import Spread, combined
from sevenfold.analysis.imputation.tipping import TippingFit, TippingPoint, TippingRow

__all__ = [
    "DROPOUT",
    "Answer",
    "Assumption",
    "ConditionalMean",
    "Courses",
    "ImputationFit",
    "ImputationModel",
    "Imputed",
    "MultipleImputation",
    "Posterior",
    "Resampled",
    "Spread",
    "TippingFit",
    "TippingPoint",
    "TippingRow",
    "Uncertainty",
    "combined",
    "courses_from_rows",
]
