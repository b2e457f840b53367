# Pinned intervals for proportions and rates. Writes rates.json beside itself.
library(jsonlite)
x <- c(0, 1, 3, 7, 60, 120); n <- c(60, 300, 250, 100, 120, 120)
e <- 1:length(x)
# Differences: Newcombe's method 10 by package Epi; Miettinen and Nurminen's score by maximising the
# restricted likelihood numerically and solving for the limits.
cells <- rbind(c(56, 70, 48, 80), c(9, 10, 3, 10), c(7, 100, 1, 120), c(3, 250, 12, 240))
hybrid <- t(apply(cells, 1, function(v)
  suppressMessages(Epi::ci.pd(v[1], v[3], v[2] - v[1], v[4] - v[3], digits = 15, print = FALSE))[1, 6:7]))
score_limits <- function(v) {
  x <- v[c(1, 3)]; n <- v[c(2, 4)]; d <- x[1] / n[1] - x[2] / n[2]
  chi2 <- function(delta) {
    ll <- function(p) sum(dbinom(x, n, c(p + delta, p), log = TRUE))
    p <- optimize(ll, c(max(0, -delta), min(1, 1 - delta)), maximum = TRUE, tol = 1e-12)$maximum
    q <- c(p + delta, p)
    (d - delta)^2 / (sum(q * (1 - q) / n) * sum(n) / (sum(n) - 1)) - qchisq(.95, 1)
  }
  c(uniroot(chi2, c(-.9999, d), tol = 1e-12)$root, uniroot(chi2, c(d, .9999), tol = 1e-12)$root)
}
out <- list(cells = cells, hybrid = unname(hybrid), score = t(apply(cells, 1, score_limits)),
  epi = as.character(packageVersion("Epi")),
version = R.version.string, x = x, n = n,
  wilson = t(sapply(e, function(i) suppressWarnings(prop.test(x[i], n[i], correct = FALSE)$conf.int))),
  exact = t(sapply(e, function(i) binom.test(x[i], n[i])$conf.int)),
  poisson = t(sapply(e, function(i) poisson.test(x[i], n[i] * 10)$conf.int)),
  jeffreys = t(sapply(2:5, function(i) qbeta(c(.025, .975), x[i] + .5, n[i] - x[i] + .5))),
  bh = list(p = c(.01, .04, .03, .2, .5), adjusted = p.adjust(c(.01, .04, .03, .2, .5), "BH")),
  fisher = fisher.test(matrix(c(7, 93, 1, 119), 2))$p.value)
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "rates.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE), path)
