"""Trials ``first`` to ``last - 1`` of a batch under one structure: the compiled function that callers start."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np

from sevenfold.analysis.batch.kernel.inference import (
    KENWARD_ROGER,
    covariance_of_rows,
    freedom_of,
    joint_f,
    parameter_covariance,
    sandwich_contrast,
)
from sevenfold.analysis.batch.kernel.panel import FINE, arranged
from sevenfold.analysis.batch.kernel.search import FRAIL, NO_ANSWER, NOT_ESTIMABLE, OK, search
from sevenfold.analysis.mmrm.fit import NOTHING

__all__ = ["FRAIL", "runner"]


@cache
def runner() -> Any:
    """The compiled function, from the cache on disk or compiled now.

    The cache is Numba's, which knows when this file changes but not those it calls; so the text of all of them is part
    of the key, as a constant that the function closes over.
    """
    here = Path(__file__).parent
    texts = sorted(here.glob("*.py"))
    settings = here.parents[1] / "mmrm"
    texts += [
        settings / name
        for name in (
            "search.py",
            "fit.py",
            "sandwich.py",
            "wald.py",
            "freedom/kenward_roger.py",
            "../effect.py",
            "../batch/ending.py",
        )
    ]
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()

    def fit_some(  # type: ignore[no-untyped-def]
        first, last, kind, how, response, arm, covariates, is_by_visit, n_arms, asked, wanted, fitted, answers
    ):
        """Fits the trials that ``wanted`` flags.

        Args:
            how: method, power of a sandwich (1 where there is none), whether expected information, whether linear.
            asked: rows of contrasts and of joint tests (row, column); how many contrasts; where each joint test's rows
                begin and the last one's end.
            fitted: written: an ending for each trial, or ``FRAIL``  # (trial,).
            answers: written: an ending for each contrast, and estimate, variance and degrees of freedom; an ending for
                each joint test, and F, denominator degrees of freedom and scale  # (trial, row), (trial, row, 3), …
        """
        if len(stamp) == 0:
            return
        method, power, is_expected, is_linear = how
        rows, n_contrasts, begins = asked
        n_rows, n_columns = rows.shape
        ending, numbers, joint_ending, joint_numbers = answers
        for t in range(first, last):
            if not wanted[t]:
                continue
            laid = arranged(response[t], arm[t], covariates[t], is_by_visit, n_arms)
            end, residual, design, pattern_of, n_in, seen, least_squares, triangle, n_measured = laid
            if end != FINE:
                fitted[t] = NO_ANSWER
                continue
            log_det = 0.0
            for c in range(n_columns):
                log_det += 2.0 * np.log(abs(triangle[c, c]))
            panel = (residual, design, pattern_of, n_in, seen, n_measured, log_det)
            (
                end,
                slopes,
                curvatures,
                is_curved,
                observed,
                expected,
                spread,
                precision,
                white_design,
                white_residual,
                scaled,
                root,
                coefficients,
            ) = search(kind, panel, least_squares)
            if end == OK:
                is_inverse, parameters = parameter_covariance(expected if is_expected else observed)
                if not is_inverse:
                    end = NO_ANSWER
            fitted[t] = end
            if end != OK:
                continue
            in_basis, own, estimates = np.empty(n_columns), np.zeros((n_rows, n_columns)), np.zeros(n_rows)
            for r in range(n_rows):
                for c in range(n_columns):  # R⁻ᵀ·l
                    in_basis[c] = rows[r, c]
                    for d in range(c):
                        in_basis[c] -= triangle[d, c] * in_basis[d]
                    in_basis[c] /= triangle[c, c]
                    estimates[r] += in_basis[c] * (least_squares[c] + coefficients[c])
                for c in range(n_columns):
                    for d in range(c + 1):
                        own[r, c] += root[d, c] * in_basis[d]
            is_adjusted = method == KENWARD_ROGER
            covariance, carried = covariance_of_rows(
                is_adjusted,
                is_linear,
                own,
                spread,
                parameters,
                panel,
                precision,
                scaled,
                slopes,
                curvatures,
                is_curved,
            )
            known = np.empty(n_rows, dtype=np.bool_)
            for r in range(n_rows):
                variance, plain = covariance[r, r], 0.0
                for c in range(n_columns):
                    plain += own[r, c] ** 2
                if power < 1.0:
                    variance, df = sandwich_contrast(power, own[r], white_design, white_residual, root)
                else:
                    df = freedom_of(own[r], np.ascontiguousarray(carried[:, r]), parameters)
                known[r] = variance > NOTHING * plain
                if r < n_contrasts:
                    ending[t, r] = OK if known[r] else NOT_ESTIMABLE
                    numbers[t, r, 0] = estimates[r]
                    numbers[t, r, 1] = variance
                    numbers[t, r, 2] = df
            for q in range(begins.size - 1):
                some = slice(begins[q], begins[q + 1])
                joint_ending[t, q] = NOT_ESTIMABLE
                if known[some].all():
                    joint_ending[t, q] = joint_f(
                        method,
                        own[some],
                        estimates[some],
                        np.ascontiguousarray(covariance[some, some]),
                        np.ascontiguousarray(carried[:, some]),
                        parameters,
                        joint_numbers[t, q],
                    )

    return nb.njit(error_model="numpy", nogil=True, cache=True)(fit_some)
