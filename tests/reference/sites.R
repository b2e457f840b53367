# Sites against each other: exact limits, over-dispersion, shrunken rates, monitoring.
# Written to sites.json; run: Rscript tests/reference/sites.R
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
data(cbpp, package = "lme4")
x <- as.numeric(tapply(cbpp$incidence, cbpp$herd, sum))
n <- as.numeric(tapply(cbpp$size, cbpp$herd, sum))
target <- sum(x) / sum(n)

# Interpolated exact limits: Spiegelhalter 2005, appendix A.1.1
limit <- function(n, p0, tail) {
  r <- qbinom(tail, n, p0)
  a <- (pbinom(r, n, p0) - tail) / dbinom(r, n, p0)
  pmin(pmax((r - a) / n, 0), 1)
}
tails <- c(0.001, 0.025, 0.975, 0.999)
limits <- lapply(tails, function(t) limit(n, target, t))

z <- (x / n - target) / sqrt(target * (1 - target) / n)
dispersion <- lapply(c(0, 0.1), function(w) {
  q <- quantile(z, c(w, 1 - w), names = FALSE)
  zw <- pmin(pmax(z, q[1]), q[2])
  i <- length(z); wt <- n / (target * (1 - target))
  s <- sum(zw^2)
  tau2 <- max(0, (s - (i - 1)) / (sum(wt) - sum(wt^2) / sum(wt)))
  list(winsorise = w, phi = s / i, p = pchisq(s, i, lower.tail = FALSE), tau = sqrt(tau2))
})

# Beta-binomial by direct maximisation over log a, log b
ll <- function(v) -sum(lchoose(n, x) + lbeta(exp(v[1]) + x, exp(v[2]) + n - x) - lbeta(exp(v[1]), exp(v[2])))
best <- optim(c(0, 1), ll, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))
best <- optim(best$par, ll, method = "Nelder-Mead", control = list(reltol = 1e-16, maxit = 5000))
a <- exp(best$par[1]); b <- exp(best$par[2])

site <- factor(seq_along(x))
fit <- glmer(cbind(x, n - x) ~ 1 + (1 | site), family = binomial, nAGQ = 25,
             control = glmerControl(tolPwrss = 1e-12, optCtrl = list(maxfun = 1e5)))
re <- ranef(fit, condVar = TRUE)$site
# Posterior of a rate: probability below, inside and above a band
bands <- list(c(0.01, 0.03), c(0, 0.04), c(0.01, 0.04))
posterior <- lapply(list(c(3, 300, 0.5), c(0, 120, 0.5), c(9, 250, 1)), function(v) {
  a <- v[1] + v[3]; b <- v[2] - v[1] + v[3]
  list(x = v[1], n = v[2], prior = v[3], limits = qbeta(c(0.025, 0.975), a, b),
       bands = lapply(bands, function(w) c(pbeta(w[1], a, b), pbeta(w[2], a, b) - pbeta(w[1], a, b),
                                           pbeta(w[2], a, b, lower.tail = FALSE))))
})
# Mean run lengths of a CUSUM in whole steps, by a dense solve of (I - Q) L = 1
chain <- function(event, none, limit, rate) {
  q <- matrix(0, limit, limit)
  for (s in 0:(limit - 1)) for (m in list(c(event, rate), c(none, 1 - rate))) {
    to <- max(s + m[1], 0)
    if (to < limit) q[s + 1, to + 1] <- q[s + 1, to + 1] + m[2]
  }
  solve(diag(limit) - q, rep(1, limit))[1]
}
cusum <- lapply(list(c(0.1, 2, 500), c(0.02, 2, 700), c(0.2, 0.5, 300)), function(v) {
  p <- v[1]; odds <- v[2]
  w1 <- log(odds / (1 - p + odds * p)); w0 <- -log(1 - p + odds * p)
  small <- min(abs(w1), abs(w0)); step <- small / ceiling(small / 0.002)
  event <- round(w1 / step); none <- round(w0 / step)
  true <- c(p, odds * p / (1 - p + odds * p))
  list(rate = p, odds_ratio = odds, event = event, none = none, limit = v[3], true = true,
       run_length = sapply(true, function(r) chain(event, none, v[3], r)))
})
out <- list(
  cusum = cusum,
  bands = bands, posterior = posterior,
  versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4"))),
  x = x, n = n, target = target, tails = tails, limits = limits, dispersion = dispersion,
  beta_binomial = list(a = a, b = b, posterior = (a + x) / (a + b + n), loglik = -best$value),
  glmer = list(mu = unname(fixef(fit)), se = sqrt(vcov(fit)[1, 1]), tau = sqrt(VarCorr(fit)$site[1]),
               mode = re[, 1] + unname(fixef(fit)), condvar = as.numeric(attr(re, "postVar")))
)
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/sites.json")
