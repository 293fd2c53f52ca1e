"""Ways to degrees of freedom for the coefficients: siblings of one shape."""

from sevenfold.analysis.mmrm.freedom.counted import BetweenWithin, Residual
from sevenfold.analysis.mmrm.freedom.information import Information
from sevenfold.analysis.mmrm.freedom.kenward_roger import KenwardRoger
from sevenfold.analysis.mmrm.freedom.reference import Freedom, JointTest
from sevenfold.analysis.mmrm.freedom.satterthwaite import Satterthwaite

__all__ = ["BetweenWithin", "Freedom", "Information", "JointTest", "KenwardRoger", "Residual", "Satterthwaite"]
