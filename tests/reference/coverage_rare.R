# Coverage of intervals for a rate of 1 % in 300 patients, by enumerating every outcome.
# Written to coverage_rare.json; run: Rscript tests/reference/coverage_rare.R
suppressPackageStartupMessages(library(jsonlite))
n <- 300
x <- 0:n
wilson <- t(sapply(x, function(k) suppressWarnings(prop.test(k, n, correct = FALSE)$conf.int)))
clopper <- t(sapply(x, function(k) binom.test(k, n)$conf.int))
jeffreys <- cbind(ifelse(x == 0, 0, qbeta(0.025, x + 0.5, n - x + 0.5)),
                  ifelse(x == n, 1, qbeta(0.975, x + 0.5, n - x + 0.5)))
cover <- function(limits, p) sum(dbinom(x, n, p) * (limits[, 1] <= p & p <= limits[, 2]))
rates <- c(0.002, 0.005, 0.01, 0.015, 0.02)
one <- lapply(list(wilson = wilson, clopper_pearson = clopper, jeffreys = jeffreys),
              function(l) sapply(rates, function(p) cover(l, p)))

# Differences: both limits of Newcombe, and whether the score test accepts the true difference
most <- 22  # more events than this have a probability below 1e-10 at 2 %
grid <- expand.grid(x1 = 0:most, x0 = 0:most)
z <- qnorm(0.975)
newcombe <- function(x1, x0) {
  a <- wilson[x1 + 1, ]; b <- wilson[x0 + 1, ]; p1 <- x1 / n; p0 <- x0 / n
  c(p1 - p0 - sqrt((p1 - a[1])^2 + (b[2] - p0)^2), p1 - p0 + sqrt((a[2] - p1)^2 + (p0 - b[1])^2))
}
accepts <- function(x1, x0, delta) {
  loglik <- function(p0) dbinom(x1, n, p0 + delta, log = TRUE) + dbinom(x0, n, p0, log = TRUE)
  lower <- max(0, -delta) + 1e-12; upper <- min(1, 1 - delta) - 1e-12
  if (x1 + x0 == 0) { p0 <- max(0, -delta) } else {
    # the likelihood is flat at its top: its slope is zeroed instead
    slope <- function(p) {
      part <- function(k, q) (if (k > 0) k / q else 0) - (n - k) / (1 - q)
      part(x1, p + delta) + part(x0, p)
    }
    p0 <- if (slope(lower) <= 0) lower else uniroot(slope, c(lower, upper), tol = 1e-15)$root
  }
  p1 <- p0 + delta
  v <- (p1 * (1 - p1) + p0 * (1 - p0)) / n * (2 * n) / (2 * n - 1)
  d <- (x1 - x0) / n - delta
  if (v <= 0) return(abs(d) < 1e-12)
  d^2 / v <= z^2
}
pairs <- list(c(0.01, 0.01), c(0.02, 0.01))
two <- lapply(pairs, function(p) {
  w <- dbinom(grid$x1, n, p[1]) * dbinom(grid$x0, n, p[2]); delta <- p[1] - p[2]
  nc <- mapply(newcombe, grid$x1, grid$x0)
  list(rates = p, newcombe = sum(w * (nc[1, ] <= delta & delta <= nc[2, ])),
       score = sum(w * mapply(accepts, grid$x1, grid$x0, MoreArgs = list(delta = delta))))
})
writeLines(toJSON(list(version = R.version.string, n = n, rates = rates, one = one, most = most, two = two),
                  digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/coverage_rare.json")
