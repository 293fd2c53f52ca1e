"""The arrays all parts of the package speak of; their axes are said where they are made."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Flags", "Index"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
