# Known answers for sevenfold.analysis from R. Run: Rscript analysis.R > analysis.json
# The data are simulated here and stored beside the answers, so that both sides read the same numbers.
suppressMessages({
  library(jsonlite); library(survival); library(cmprsk); library(etm); library(coin)
  library(exactRankTests); library(sandwich); library(emmeans)
})
out <- list()
versions <- c("survival", "cmprsk", "etm", "coin", "exactRankTests", "sandwich", "emmeans")
out$versions <- c(list(R = R.version.string), sapply(versions, function(p) as.character(packageVersion(p)), simplify = FALSE))

# --- time to event: ties, censoring, strata, two covariates
set.seed(20180308)
n <- 48
d <- data.frame(arm = rep(0:1, n / 2), site = rep(c("a", "b", "c"), each = n / 3),
                age = round(rnorm(n, 62, 12)), score = round(rgamma(n, 4, 0.5)))
d$time <- ceiling(rexp(n, 0.03 * exp(-0.5 * d$arm + 0.03 * (d$age - 62))))
censored <- ceiling(runif(n, 5, 90))
d$cause <- ifelse(d$time <= censored, 1 + rbinom(n, 1, 0.35), 0)
d$time <- pmin(d$time, censored)
d$dead <- as.integer(d$cause > 0)
km <- survfit(Surv(time, dead) ~ 1, d, conf.type = "log-log")
shown <- km$n.event > 0
cox_told <- function(f) {
  s <- summary(f)
  list(coef = unname(coef(f)), se = unname(sqrt(diag(vcov(f)))), loglik = f$loglik, score = unname(s$sctest[1]),
       lr = unname(s$logtest[1]), wald = unname(f$wald.test))
}
rm <- summary(survfit(Surv(time, dead) ~ arm, d), rmean = 40)$table
out$time_to_event <- list(
  data = d,
  km = list(time = km$time[shown], surv = km$surv[shown], se = (km$std.err * km$surv)[shown],
            lower = km$lower[shown], upper = km$upper[shown], median = unname(summary(km)$table[c("median", "0.95LCL", "0.95UCL")])),
  logrank = survdiff(Surv(time, dead) ~ arm, d)$chisq,
  logrank_stratified = survdiff(Surv(time, dead) ~ arm + strata(site), d)$chisq,
  logrank_three = survdiff(Surv(time, dead) ~ site, d)$chisq,
  logrank_observed = survdiff(Surv(time, dead) ~ site, d)$obs,
  logrank_expected = survdiff(Surv(time, dead) ~ site, d)$exp,
  cox = cox_told(coxph(Surv(time, dead) ~ arm + age + score, d)),
  cox_stratified = cox_told(coxph(Surv(time, dead) ~ arm + age + score + strata(site), d)),
  cox_robust = cox_told(coxph(Surv(time, dead) ~ arm + age + score, d, robust = TRUE)),
  cox_stratified_robust = cox_told(coxph(Surv(time, dead) ~ arm + age + strata(site), d, robust = TRUE)),
  rmst40 = list(mean = unname(rm[, "rmean"]), se = unname(rm[, "se(rmean)"])),
  gray = unname(cuminc(d$time, d$cause, d$arm)$Tests[, "stat"]),
  gray_three = unname(cuminc(d$time, d$cause, d$site)$Tests[, "stat"]),
  gray_stratified = unname(cuminc(d$time, d$cause, d$arm, d$site)$Tests[, "stat"])
)
cif <- etmCIF(Surv(time, cause != 0) ~ 1, data = d, etype = cause, failcode = 1)
for (k in 1:2) {
  s <- summary(cif)[[1]][[k]]
  out$time_to_event[[paste0("cif", k)]] <- list(time = s$time, p = s$P, var = s$var)
}

# --- one response on three arms, with a covariate and a factor
set.seed(7)
n <- 30
a <- data.frame(arm = rep(c("high", "low", "placebo"), c(11, 9, 10)), base = round(exp(rnorm(n, 6, 0.4))),
                sex = sample(c("F", "M"), n, TRUE, c(0.35, 0.65)))
a$count <- round(a$base * exp(rnorm(n, ifelse(a$arm == "placebo", 0, 0.5), ifelse(a$arm == "high", 0.5, 0.25))))
told <- function(f, v) {
  e <- emmeans(f, "arm", vcov. = v)
  m <- as.data.frame(e); k <- as.data.frame(contrast(e, list(active = c(0.5, 0.5, -1), dose = c(1, -1, 0))))
  list(mean = m$emmean, mean_se = m$SE, df = m$df[1], contrast = k$estimate, contrast_se = k$SE, p = k$p.value)
}
f <- lm(count ~ arm + base + sex, a)
a$log_base <- log(a$base)
g <- lm(log(count) ~ arm + log_base + sex, a)
e <- emmeans(f, "arm", weights = "proportional")
out$ancova <- list(data = a, linear = told(f, vcov(f)), linear_hc3 = told(f, vcovHC(f, "HC3")),
                   log = told(g, vcov(g)), log_hc3 = told(g, vcovHC(g, "HC3")),
                   observed_margins = as.data.frame(e)$emmean)
w <- t.test(log(a$count[a$arm == "low"]), log(a$count[a$arm == "placebo"]))
p <- t.test(log(a$count[a$arm == "low"]), log(a$base[a$arm == "low"]), paired = TRUE)
out$geometric <- list(welch = exp(c(w$estimate[1] - w$estimate[2], w$conf.int)), welch_df = unname(w$parameter), welch_p = w$p.value,
                      paired = exp(c(p$estimate, p$conf.int)), paired_p = p$p.value)

# --- counts
out$fisher <- lapply(list(c(3, 9, 10, 12), c(7, 12, 15, 14), c(0, 5, 8, 8), c(24, 10, 61, 35)), function(x)
  list(table = x, p = sapply(c("two.sided", "greater", "less"), function(h)
    fisher.test(matrix(c(x[1], x[3] - x[1], x[2], x[4] - x[2]), 2), alternative = h)$p.value)))
out$binomial <- lapply(list(c(0, 10), c(3, 10), c(7, 27), c(27, 27)), function(x) c(x, binom.test(x[1], x[2])$conf.int))
out$poisson <- lapply(list(c(0, 120), c(4, 350.5), c(31, 1200)), function(x) c(x, poisson.test(x[1], x[2])$conf.int))
out$poisson_ratio <- lapply(list(c(11, 800, 23, 930), c(0, 400, 5, 380), c(6, 300, 0, 310)), function(x)
  c(x, poisson.test(x[c(1, 3)], x[c(2, 4)])$conf.int))

# --- ranks and permutations
set.seed(3)
r <- data.frame(y = round(c(rnorm(9, 1), rnorm(8)), 3), g = rep(1:0, c(9, 8)))
h <- wilcox.test(y ~ factor(-g), r, conf.int = TRUE)
q <- data.frame(y = sample(1:12, 40, TRUE), g = factor(sample(0:1, 40, TRUE)), s = factor(rep(1:4, c(6, 8, 12, 14))))
v <- independence_test(y ~ g | s, q, ytrafo = function(data) trafo(data, numeric_trafo = function(y) rank(y) / (length(y) + 1), block = q$s))
u <- independence_test(y ~ g, q, ytrafo = function(data) trafo(data, numeric_trafo = rank_trafo))
out$ranks <- list(data = r, wilcoxon_p = h$p.value, shift = unname(h$estimate), interval = h$conf.int,
                  permutation_p = perm.test(round(1000 * r$y[r$g == 1]), round(1000 * r$y[r$g == 0]), exact = TRUE)$p.value,
                  strata = lapply(q, function(x) as.integer(as.character(x))), van_elteren_z = abs(unname(statistic(v))),
                  wilcoxon_z = abs(unname(statistic(u))))
cc <- concordance(g ~ y, data.frame(y = c(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8), g = rep(1:0, each = 6)))
out$concordance <- list(share = unname(cc$concordance), var = unname(cc$var))

# --- multiplicity
x <- c(0.011, 0.02, 0.022, 0.09, 0.001, 0.04)
out$multiplicity <- list(p = x, holm = p.adjust(x, "holm"), hochberg = p.adjust(x, "hochberg"))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE, pretty = FALSE, dataframe = "columns"), "\n")
