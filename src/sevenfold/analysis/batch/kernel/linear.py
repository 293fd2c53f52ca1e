"""Small dense matrices in compiled code: roots and inverses that say when there are none, and smallest eigenvalues.

Plain loops over a few rows; no library's threads, so an answer does not depend on how many trials run side by side.
"""

import numba as nb
import numpy as np

__all__ = ["compiled", "inverse_of_lower", "lower_root", "smallest_eigenvalue", "solve_by_root"]

compiled = nb.njit(error_model="numpy", nogil=True)
"""Not cached each by itself: the one function that callers start is, under a key made of all these files."""


@compiled
def lower_root(matrix, root):  # type: ignore[no-untyped-def]
    """Cholesky's L with L·L' = matrix into ``root``; False where the matrix is not positive definite."""
    n = matrix.shape[0]
    for a in range(n):
        for b in range(a + 1):
            left = matrix[a, b]
            for c in range(b):
                left -= root[a, c] * root[b, c]
            if a == b:
                if not left > 0.0:
                    return False
                root[a, a] = np.sqrt(left)
            else:
                root[a, b] = left / root[b, b]
        for b in range(a + 1, n):
            root[a, b] = 0.0
    return True


@compiled
def inverse_of_lower(lower, inverse):  # type: ignore[no-untyped-def]
    """L⁻¹, lower triangular too."""
    n = lower.shape[0]
    for b in range(n):
        for a in range(b):
            inverse[a, b] = 0.0
        inverse[b, b] = 1.0 / lower[b, b]
        for a in range(b + 1, n):
            left = 0.0
            for c in range(b, a):
                left -= lower[a, c] * inverse[c, b]
            inverse[a, b] = left / lower[a, a]


@compiled
def solve_by_root(root, right):  # type: ignore[no-untyped-def]
    """(L·L')⁻¹·right, for a vector."""
    n = right.size
    x = right.copy()
    for a in range(n):
        for c in range(a):
            x[a] -= root[a, c] * x[c]
        x[a] /= root[a, a]
    for a in range(n - 1, -1, -1):
        for c in range(a + 1, n):
            x[a] -= root[c, a] * x[c]
        x[a] /= root[a, a]
    return x


@compiled
def smallest_eigenvalue(matrix):  # type: ignore[no-untyped-def]
    """Of a symmetric matrix of finite numbers; minus infinity where a number is not finite."""
    for a in range(matrix.shape[0]):
        for b in range(matrix.shape[1]):
            if not np.isfinite(matrix[a, b]):
                return -np.inf
    return np.linalg.eigvalsh(matrix)[0]
