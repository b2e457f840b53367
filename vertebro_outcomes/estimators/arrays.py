"""The array types the estimators speak."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Wholes = NDArray[np.signedinteger[Any]]  # of any width: what fits is held in 8 or 32 bits
