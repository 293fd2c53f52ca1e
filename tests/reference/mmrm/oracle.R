# Mixed models for repeated measures by R, for tests/analysis/mmrm/test_mmrm_against_r.py to read.
#
#     Rscript oracle.R fev_data.csv > oracle.csv
#
# fev_data.csv is openpharma/mmrm's simulated data set; small_trial.csv, written beside this script, is simulated here: 24
# patients, 4 visits, a fifth missing, small enough for the choice of method to show.
#
# Packages: nlme (gls), emmeans (least-squares means), clubSandwich (sandwiches with their degrees of freedom), lme4 with
# lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger with the expected information). Versions are the last rows.

suppressPackageStartupMessages({
  library(nlme)
  library(emmeans)
  library(clubSandwich)
  library(lmerTest)
  library(pbkrtest)
})

fev <- read.csv(commandArgs(trailingOnly = TRUE)[1], na.strings = c("", "NA"))
fev <- fev[!is.na(fev$FEV1), ]
fev <- within(fev, {
  ARMCD <- relevel(factor(ARMCD), "PBO")
  AVISIT <- factor(AVISIT)
  RACE <- relevel(factor(RACE), "Asian")
  SEX <- relevel(factor(SEX), "Male")
  USUBJID <- factor(USUBJID)
})
fev <- fev[order(fev$USUBJID, fev$VISITN), ]

cat("case,quantity,value\n")
say <- function(case, quantity, value) {
  cat(sprintf("%s,%s,%.15g\n", case, quantity, value), sep = "")
}
say_fit <- function(case, fit) {
  say(case, "deviance", -2 * as.numeric(logLik(fit)))
  say(case, paste0("coefficient ", seq_along(coef(fit))), unname(coef(fit)))
  say(case, paste0("se ", seq_along(coef(fit))), unname(sqrt(diag(vcov(fit)))))
}
control <- glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 5000, opt = "nlminb")
by_visit <- varIdent(form = ~ 1 | AVISIT)

# Structures, FEV1 ~ ARMCD. An AR(3) over four visits reaches every Toeplitz correlation.
correlations <- list(
  "unstructured" = list(corSymm(form = ~ VISITN | USUBJID), by_visit),
  "compound symmetry" = list(corCompSymm(form = ~ 1 | USUBJID), NULL),
  "heterogeneous compound symmetry" = list(corCompSymm(form = ~ 1 | USUBJID), by_visit),
  "autoregressive" = list(corAR1(form = ~ VISITN | USUBJID), NULL),
  "heterogeneous autoregressive" = list(corAR1(form = ~ VISITN | USUBJID), by_visit),
  "Toeplitz" = list(corARMA(form = ~ VISITN | USUBJID, p = 3, q = 0), NULL),
  "heterogeneous Toeplitz" = list(corARMA(form = ~ VISITN | USUBJID, p = 3, q = 0), by_visit),
  "spatial exponential" = list(corExp(1, form = ~ VISITN | USUBJID), NULL)
)
for (method in c("REML", "ML")) {
  for (label in names(correlations)) {
    fit <- gls(FEV1 ~ ARMCD, fev, correlation = correlations[[label]][[1]], weights = correlations[[label]][[2]],
               method = method, control = control)
    say_fit(paste(method, label), fit)
  }
  fit <- gls(FEV1 ~ RACE + SEX + ARMCD * AVISIT, fev, correlation = corSymm(form = ~ VISITN | USUBJID),
             weights = by_visit, method = method, control = control)
  say_fit(paste(method, "full model"), fit)
  if (method == "REML") {
    # emmeans' own weights = "proportional" would count each measurement by the model's variance weights as well
    shares <- as.vector(outer(table(fev$RACE), table(fev$SEX)) / nrow(fev)^2)
    for (weights in list(equal = rep(1 / 6, 6), observed = shares)) {
      case <- if (all(weights == 1 / 6)) "means equal" else "means observed"
      means <- as.data.frame(emmeans(fit, ~ ARMCD + AVISIT, weights = weights, mode = "asymptotic", data = fev))
      say(case, paste(means$ARMCD, means$AVISIT), means$emmean)
      say(case, paste("se", means$ARMCD, means$AVISIT), means$SE)
    }
  }
}

# A small trial.
set.seed(20260707)
small <- expand.grid(visit = 1:4, subject = 1:24)
small$arm <- ifelse(small$subject %% 3 == 0, "placebo", "il7")
small$baseline <- round(rnorm(24, 5, 2), 2)[small$subject]
small$response <- round(
  0.4 * small$baseline + 0.5 * small$visit * (small$arm == "il7") + rnorm(24, 0, 1.5)[small$subject] + rnorm(96), 3
)
small <- small[runif(96) > 0.2, ]
write.csv(small, "small_trial.csv", row.names = FALSE, quote = FALSE)
small <- within(small, {
  arm <- relevel(factor(arm), "placebo")
  week <- factor(visit)
  subject <- factor(subject)
})

# Sandwiches. clubSandwich takes another root for CR2 than ours: equal only to about three digits.
fit <- gls(response ~ baseline + arm * week, small, correlation = corAR1(form = ~ visit | subject), method = "REML",
           control = control)
for (kind in c("CR0", "CR2", "CR3")) {
  covariance <- vcovCR(fit, type = kind)
  single <- coef_test(fit, covariance, test = "Satterthwaite")
  say(kind, paste0("se ", seq_along(single$SE)), single$SE)
  say(kind, paste0("df ", seq_along(single$SE)), if (is.null(single$df_Satt)) single$df else single$df_Satt)
  several <- Wald_test(fit, constrain_zero(7:9, coef(fit)), covariance, test = "HTZ")
  say(kind, "joint F", several$Fstat)
  say(kind, "joint df", several$df_denom)
}

# A random intercept is compound symmetry with a covariance above zero, as it is here.
fit <- lmer(response ~ baseline + arm * week + (1 | subject), small, REML = TRUE,
            control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
rows <- cbind(matrix(0, 3, 6), diag(3))
variances <- as.data.frame(VarCorr(fit))
say("lmer", "CS", variances$vcov[1])
say("lmer", "Residual", variances$vcov[2])
say("lmer", "deviance", -2 * as.numeric(logLik(fit)))
adjusted <- as.matrix(vcovAdj(fit))
say("lmer", paste0("adjusted se ", 1:9), sqrt(diag(adjusted)))
test <- KRmodcomp(fit, rows)$stats
say("lmer", "KR F", test$Fstat)
say("lmer", "KR df", test$ddf)
say("lmer", "KR scale", test$F.scaling)
everywhere <- diag(9)[c(2, 3, 7, 8, 9), ]
test <- KRmodcomp(fit, everywhere)$stats
say("lmer", "KR wide F", test$Fstat)
say("lmer", "KR wide df", test$ddf)
say("lmer", "KR wide scale", test$F.scaling)
single <- sapply(1:9, function(j) KRmodcomp(fit, matrix(as.numeric(1:9 == j), 1))$stats$ddf)
say("lmer", paste0("KR df ", 1:9), single)
several <- contestMD(fit, rows, ddf = "Satterthwaite")
say("lmer", "Satterthwaite F", several[["F value"]])
say("lmer", "Satterthwaite df", several[["DenDF"]])
several <- contestMD(fit, everywhere, ddf = "Satterthwaite")
say("lmer", "Satterthwaite wide F", several[["F value"]])
say("lmer", "Satterthwaite wide df", several[["DenDF"]])
single <- sapply(1:9, function(j) contest1D(fit, as.numeric(1:9 == j), ddf = "Satterthwaite")$df)
say("lmer", paste0("Satterthwaite df ", 1:9), single)

for (name in c("nlme", "emmeans", "clubSandwich", "lme4", "lmerTest", "pbkrtest")) {
  cat(sprintf("version,%s,%s\n", name, packageVersion(name)))
}
cat(sprintf("version,R,%s\n", getRversion()))
