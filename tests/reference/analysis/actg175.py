"""Known answers for ACTG 175 from statsmodels and lifelines; the trial itself is not stored here.

Run: python actg175.py ACTG175.csv.gz > actg175.json
"""

# mypy: ignore-errors
# (lifelines, pandas and statsmodels are not among the project's dependencies)

import json
import sys

import lifelines
import numpy as np
import pandas as pd
import statsmodels
import statsmodels.api as sm
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time

STRATUM = "strat"  # codespell:ignore strat
trial = pd.read_csv(sys.argv[1])
out = {"versions": {"lifelines": lifelines.__version__, "statsmodels": statsmodels.__version__}}

# CD4 at week 20 by arm: change and log (patients with a positive count at both visits), baseline and strata as factor
arms = pd.get_dummies(trial["arms"]).to_numpy(dtype=float)
stratum = pd.get_dummies(trial[STRATUM], drop_first=True).to_numpy(dtype=float)
change = trial["cd420"] - trial["cd40"]
fit = sm.OLS(change, np.column_stack([arms, trial["cd40"], trial["age"], stratum]))
weights = np.array([-1, 1 / 3, 1 / 3, 1 / 3])


def told(result):
    """Estimate, standard error and p-value of the pooled active arms against control."""
    k = result.params.shape[0]
    test = result.t_test(np.concatenate([weights, np.zeros(k - 4)]))
    return [float(test.effect[0]), float(test.sd[0, 0]), float(test.pvalue)]


out["change"] = {"classical": told(fit.fit()), "hc3": told(fit.fit(cov_type="HC3", use_t=True))}
kept = ((trial["cd420"] > 0) & (trial["cd40"] > 0)).to_numpy()
design = np.column_stack([arms, np.log(trial["cd40"].where(kept, 1)), stratum])[kept]
log_fit = sm.OLS(np.log(trial["cd420"][kept]), design)
out["log"] = {
    "n": int(kept.sum()),
    "classical": told(log_fit.fit()),
    "hc3": told(log_fit.fit(cov_type="HC3", use_t=True)),
}

# time to the composite event
days, event = trial["days"], trial["cens"]
km = KaplanMeierFitter().fit(days, event)
band = km.confidence_interval_survival_function_
at = [200, 500, 1000]
out["km"] = {
    "day": at,
    "survival": [float(km.predict(t)) for t in at],
    "lower": [float(band.iloc[:, 0].asof(t)) for t in at],
    "upper": [float(band.iloc[:, 1].asof(t)) for t in at],
}
out["log_rank"] = float(multivariate_logrank_test(days, trial["arms"], event).test_statistic)
frame = trial[["days", "age", STRATUM]].assign(event=event, active=trial["arms"] > 0, cd4=trial["cd40"] / 100)
for name, robust, strata in (("cox", False, None), ("cox_robust", True, None), ("cox_stratified", False, [STRATUM])):
    columns = frame if strata else frame.drop(columns=STRATUM)
    cph = CoxPHFitter().fit(columns, "days", "event", robust=robust, strata=strata, fit_options={"precision": 1e-12})
    out[name] = {
        "coef": cph.params_.to_dict(),
        "se": cph.standard_errors_.to_dict(),
        "log_likelihood": float(cph.log_likelihood_),
        "likelihood_ratio": float(cph.log_likelihood_ratio_test().test_statistic),
    }
out["rmst1000"] = []
for active in (0, 1):
    arm = (trial["arms"] > 0).astype(int) == active
    out["rmst1000"].append(float(restricted_mean_survival_time(KaplanMeierFitter().fit(days[arm], event[arm]), t=1000)))
print(json.dumps(out))
