# Known answers from base R and nlme; the trials' data are not stored here.
# Run: Rscript oracle.R antidepressant_data.csv ACTG175.csv.gz > oracle.csv
# 1. The mixed model for repeated measures of the antidepressant trial by nlme::gls, REML, unstructured.
# 2. Standardised risks of ACTG 175 (fewer CD4 cells at week 20 than at baseline) by glm and its vcov.
library(nlme)
args <- commandArgs(trailingOnly = TRUE)
say <- function(what, value) cat(sprintf("%s,%.12g\n", what, value))
cat("what,value\n")

d <- read.csv(args[1])
d$v <- factor(d$VISIT)
d$t <- as.integer(d$v)
d$drug <- as.numeric(d$THERAPY == "DRUG")
fit <- gls(CHANGE ~ 0 + v + v:drug + v:BASVAL, data = d, method = "REML",
           correlation = corSymm(form = ~ t | PATIENT), weights = varIdent(form = ~ 1 | v),
           control = glsControl(tolerance = 1e-12, msTol = 1e-13, maxIter = 500, msMaxIter = 500))
se <- sqrt(diag(vcov(fit)))
for (v in 4:7) {
  say(paste0("mmrm_", v), -coef(fit)[paste0("v", v, ":drug")])
  say(paste0("mmrm_se_", v), se[paste0("v", v, ":drug")])
}
say("mmrm_loglik", as.numeric(logLik(fit)))

a <- read.csv(args[2])
a$y <- as.numeric(a$cd420 < a$cd40)
a$arm <- factor(a$arms)
a$s <- factor(a$strat) # codespell:ignore strat
g <- glm(y ~ 0 + arm + cd40 + age + s, family = binomial, data = a,
         control = glm.control(epsilon = 1e-15, maxit = 100))
x <- model.matrix(g)
n <- nrow(x)
chances <- sapply(0:3, function(k) {
  z <- x; z[, 1:4] <- 0; z[, k + 1] <- 1
  plogis(drop(z %*% coef(g)))
})
slope <- t(sapply(0:3, function(k) {
  z <- x; z[, 1:4] <- 0; z[, k + 1] <- 1
  p <- chances[, k + 1]
  colMeans(z * p * (1 - p))
}))
ge <- slope %*% vcov(g) %*% t(slope)
ye <- matrix(0, 4, 4)
for (i in 1:4) for (j in 1:4) {
  r <- a$arms == i - 1
  s <- a$arms == j - 1
  ye[i, j] <- (cov(a$y[r], chances[r, j]) + cov(a$y[s], chances[s, i]) - cov(chances[, i], chances[, j])) / n
  if (i == j) ye[i, j] <- ye[i, j] + var(a$y[r] - chances[r, i]) / sum(r)
}
for (k in 0:3) {
  say(paste0("risk_", k), mean(chances[, k + 1]))
  for (l in 0:3) {
    say(paste0("ge_", k, l), ge[k + 1, l + 1])
    say(paste0("ye_", k, l), ye[k + 1, l + 1])
  }
}
say("glm_deviance", deviance(g))
cat(sprintf("# %s, nlme %s\n", R.version.string, packageVersion("nlme")))
