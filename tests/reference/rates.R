# Pinned intervals for proportions and rates. Writes rates.json beside itself.
library(jsonlite)
x <- c(0, 1, 3, 7, 60, 120); n <- c(60, 300, 250, 100, 120, 120)
e <- 1:length(x)
out <- list(version = R.version.string, x = x, n = n,
  wilson = t(sapply(e, function(i) suppressWarnings(prop.test(x[i], n[i], correct = FALSE)$conf.int))),
  exact = t(sapply(e, function(i) binom.test(x[i], n[i])$conf.int)),
  poisson = t(sapply(e, function(i) poisson.test(x[i], n[i] * 10)$conf.int)),
  jeffreys = t(sapply(2:5, function(i) qbeta(c(.025, .975), x[i] + .5, n[i] - x[i] + .5))),
  bh = list(p = c(.01, .04, .03, .2, .5), adjusted = p.adjust(c(.01, .04, .03, .2, .5), "BH")),
  fisher = fisher.test(matrix(c(7, 93, 1, 119), 2))$p.value)
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "rates.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE), path)
