# Writes negative_controls.json: the systematic-error model by direct maximisation of its likelihood (optim), and by metafor (ML).
suppressMessages({library(metafor); library(jsonlite)})
set.seed(5)
one <- function(m, mu, sd) {
  se <- round(runif(m, .05, .4), 3); y <- round(rnorm(m, mu, sqrt(sd^2 + se^2)), 3)
  nll <- function(p) -sum(dnorm(y, p[1], sqrt(exp(2 * p[2]) + se^2), log = TRUE))
  o <- optim(c(mean(y), log(.2)), nll, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))
  r <- rma(y, se^2, method = "ML", control = list(threshold = 1e-12, maxiter = 10000))
  s <- sqrt(r$tau2); est <- c(.5, -.1); e <- c(.1, .3); z <- (est - r$b[1]) / sqrt(s^2 + e^2)
  list(estimate = y, se = se, optim_mean = o$par[1], optim_sd = exp(o$par[2]), mean = r$b[1], sd = s,
       effect = est, effect_se = e, p = 2 * pnorm(-abs(z)), low = est - r$b[1] - qnorm(.975) * sqrt(s^2 + e^2))
}
write_json(list(R = R.version.string, metafor = as.character(packageVersion("metafor")), sets = list(one(40, .15, .2), one(12, -.1, .1), one(25, 0, 0))),
  "negative_controls.json", digits = NA, auto_unbox = TRUE)
