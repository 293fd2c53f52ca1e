"""Exact tests of two proportions in every trial of a batch."""

from collections.abc import Callable

import numpy as np

from sevenfold.analysis.answer import Test
from sevenfold.analysis.batch.ending import TestBatch
from sevenfold.analysis.batch.tables import TableBatch, each_table
from sevenfold.analysis.exact_test import boschloo
from sevenfold.analysis.two_binomials import Table

__all__ = ["exact_test_batch"]


def exact_test_batch(tables: TableBatch, test: Callable[[Table], Test] = boschloo) -> TestBatch:
    """A test of each trial's table.

    Args:
        test: ``boschloo``, ``fisher``, ``fisher_mid_p``, ``barnard``, or one of them with its settings.
    """
    found = each_table(tables, test)
    nowhere = np.full(tables.n_trials, np.nan)
    return TestBatch(
        name=next((one.name for one in found if one is not None), "exact test"),
        status=tables.status,
        statistic=np.array([np.nan if one is None else one.statistic for one in found]),
        p_value=np.array([np.nan if one is None else one.p_value for one in found]),
        df=nowhere,
        df_denominator=nowhere.copy(),
    )
