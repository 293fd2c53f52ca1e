"""One trial's measurements as a grid with an orthonormal design, or the reason why the model cannot be laid over it.

The same model as ``analysis/mmrm/trial_model.py`` and the same checks as ``Longitudinal`` and ``arrange``: columns are
intercept, visits, arms, arm by visit, covariates, covariates by visit.
"""

import numpy as np

from sevenfold.analysis.batch.kernel.linear import compiled

__all__ = ["FINE", "NO_DESIGN", "arranged"]

FINE, NO_DESIGN = 0, 1
RANK_TOLERANCE = 1e-9  # as in analysis/mmrm/longitudinal.py


@compiled
def arranged(response, arm, covariates, is_by_visit, n_arms):  # type: ignore[no-untyped-def]
    """The panel of one trial.

    Args:
        response: nan where missing  # (subject, visit).
        arm: -1 for who is not in the trial  # (subject,).
        covariates: nan where missing  # (subject, covariate).
        is_by_visit: whether a covariate's effect differs between visits  # (covariate,).

    Returns:
        an ending; residuals of least squares (patient, visit) and orthonormal design (patient, visit, column), both
        zero where nothing was measured; pattern of each patient; patients in each pattern; visits seen of each pattern;
        least-squares coefficients; the triangle of the design; number of measurements.
    """
    n_subjects, n_visits = response.shape
    n_covariates = is_by_visit.size
    n_crossed = 0
    for c in range(n_covariates):
        n_crossed += 1 if is_by_visit[c] else 0
    n_columns = n_arms * n_visits + n_covariates + n_crossed * (n_visits - 1)

    person = np.empty(n_subjects, dtype=np.int64)
    n_patients, n_measured = 0, 0
    at_visit, in_arm = np.zeros(n_visits, dtype=np.int64), np.zeros(n_arms, dtype=np.int64)
    for i in range(n_subjects):
        n_own = 0
        if arm[i] >= 0 and not np.isnan(covariates[i]).any():
            for v in range(n_visits):
                if not np.isnan(response[i, v]):
                    n_own += 1
                    at_visit[v] += 1
        if n_own > 0:
            in_arm[arm[i]] += 1
            person[n_patients] = i
            n_patients += 1
            n_measured += n_own

    residual = np.zeros((n_patients, n_visits))
    design = np.zeros((n_patients, n_visits, n_columns))
    pattern_of = np.zeros(n_patients, dtype=np.int64)
    seen = np.zeros((n_patients, n_visits), dtype=np.bool_)
    triangle = np.zeros((n_columns, n_columns))
    least_squares = np.zeros(n_columns)
    if n_measured == 0 or at_visit.min() == 0 or in_arm.min() == 0:
        return NO_DESIGN, residual, design, pattern_of, np.zeros(1), seen, least_squares, triangle, n_measured

    # rows of the design in reference coding, then patterns
    n_patterns = 0
    for k in range(n_patients):
        i = person[k]
        for v in range(n_visits):
            seen[n_patterns, v] = not np.isnan(response[i, v])
            if seen[n_patterns, v]:
                _row(design[k, v], arm[i], v, covariates[i], is_by_visit, n_arms, n_visits)
        found = n_patterns
        for earlier in range(n_patterns):
            if (seen[earlier] == seen[n_patterns]).all():
                found = earlier
                break
        pattern_of[k] = found
        if found == n_patterns:
            n_patterns += 1
    n_in = np.zeros(n_patterns)
    for k in range(n_patients):
        n_in[pattern_of[k]] += 1.0

    if not _orthonormal(design, triangle):
        return NO_DESIGN, residual, design, pattern_of, n_in, seen, least_squares, triangle, n_measured
    for k in range(n_patients):
        for v in range(n_visits):
            if seen[pattern_of[k], v]:
                residual[k, v] = response[person[k], v]
                for c in range(n_columns):
                    least_squares[c] += design[k, v, c] * residual[k, v]
    for k in range(n_patients):
        for v in range(n_visits):
            if seen[pattern_of[k], v]:
                for c in range(n_columns):
                    residual[k, v] -= design[k, v, c] * least_squares[c]
    return FINE, residual, design, pattern_of, n_in, seen[:n_patterns], least_squares, triangle, n_measured


@compiled
def _row(row, arm, visit, covariates, is_by_visit, n_arms, n_visits):  # type: ignore[no-untyped-def]
    row[0] = 1.0
    if visit > 0:
        row[visit] = 1.0
    place = n_visits
    if arm > 0:
        row[place + arm - 1] = 1.0
        if visit > 0:
            row[place + n_arms - 1 + (arm - 1) * (n_visits - 1) + visit - 1] = 1.0
    place += (n_arms - 1) * n_visits
    for c in range(covariates.size):
        row[place + c] = covariates[c]
    place += covariates.size
    for c in range(covariates.size):
        if is_by_visit[c]:
            if visit > 0:
                row[place + visit - 1] = covariates[c]
            place += n_visits - 1


@compiled
def _orthonormal(design, triangle):  # type: ignore[no-untyped-def]
    """The columns made orthonormal one after another, in place, with X = Q·triangle; False where one is aliased.

    Projected out twice, which is enough for orthogonality to machine precision.
    """
    n_patients, n_visits, n_columns = design.shape
    flat = design.reshape(n_patients * n_visits, n_columns)
    for j in range(n_columns):
        length = 0.0
        for r in range(flat.shape[0]):
            length += flat[r, j] ** 2
        length = np.sqrt(length)
        if not length > 0.0:
            return False
        for r in range(flat.shape[0]):
            flat[r, j] /= length
        for _ in range(2):
            along = np.zeros(j)
            for r in range(flat.shape[0]):
                for c in range(j):
                    along[c] += flat[r, c] * flat[r, j]
            for r in range(flat.shape[0]):
                for c in range(j):
                    flat[r, j] -= along[c] * flat[r, c]
            for c in range(j):
                triangle[c, j] += length * along[c]
        size = 0.0
        for r in range(flat.shape[0]):
            size += flat[r, j] ** 2
        size = np.sqrt(size)
        if not size > RANK_TOLERANCE:
            return False
        for r in range(flat.shape[0]):
            flat[r, j] /= size
        triangle[j, j] = length * size
    return True
