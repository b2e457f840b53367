# Writes site_posterior.json: limits of site rates that count the uncertainty of mean and spread.
# Beta-binomial (flat in mean and (a+b)^-1/2 up to 3): mixture of exact betas over a grid.
# Logit-normal (flat in mean and in the standard deviation up to 4): integrate() over every site's logit.
library(jsonlite)
x <- c(2, 0, 5, 1, 9, 3, 0, 12); n <- c(60, 35, 90, 120, 150, 80, 22, 240); share <- c(0.025, 0.975)
eta <- seq(-12, 8, length.out = 1200); u <- (seq_len(240) - 0.5) / 240
s <- 3 * u^2; p <- plogis(eta)
L <- sapply(s, function(v) { a <- p / v^2; b <- (1 - p) / v^2
  rowSums(sapply(seq_along(x), function(i) lbeta(a + x[i], b + n[i] - x[i]) - lbeta(a, b))) })
L <- L + log(p * (1 - p)) + rep(log(u), each = length(eta))
w <- as.vector(exp(L - max(L))); k <- which(w > 1e-13); w <- w[k] / sum(w[k])
pk <- rep(p, length(s))[k]; mk <- rep(s^-2, each = length(p))[k]
beta <- t(sapply(seq_along(x), function(i) sapply(share, function(t)
  uniroot(function(q) sum(w * pbeta(q, pk * mk + x[i], (1 - pk) * mk + n[i] - x[i])) - t, c(1e-12, 0.9), tol = 1e-11)$root)))

nodes <- 80; e <- eigen({J <- matrix(0, nodes, nodes); J[cbind(1:(nodes - 1), 2:nodes)] <- sqrt(1:(nodes - 1)); J + t(J)}, symmetric = TRUE)
z <- e$values; g <- e$vectors[1, ]^2   # Gauss-Hermite for the standard normal
mu <- seq(-8, 1, length.out = 181); v <- (seq_len(120) - 0.5) / 120; tau <- 4 * v^2
own <- function(i, t) dbinom(x[i], n[i], plogis(t))
M <- array(0, c(length(x), length(mu), length(tau)))
for (i in seq_along(x)) for (j in seq_along(tau)) for (h in seq_along(mu)) {
  M[i, h, j] <- if (tau[j] < 1.5) sum(g * own(i, mu[h] + tau[j] * z)) else
    integrate(function(t) own(i, t) * dnorm(t, mu[h], tau[j]), -40, 30, subdivisions = 500, rel.tol = 1e-9)$value }
W <- apply(log(M), c(2, 3), sum) + rep(log(v), each = length(mu)); W <- exp(W - max(W)); W <- W / sum(W)
grid <- expand.grid(h = seq_along(mu), j = seq_along(tau)); keep <- which(as.vector(W) > 1e-11)
normal <- t(sapply(c(1, 2, 5, 8), function(i) { mean_h <- mu[grid$h[keep]]; sd_j <- tau[grid$j[keep]]
  part <- as.vector(W)[keep] / M[i, , ][keep]
  at <- seq(-20, 4, length.out = 6001)
  mix <- sapply(at, function(t) sum(part * dnorm(t, mean_h, sd_j)))
  tiny <- sd_j < 0.02                      # narrower than the grid: all at the mean
  d <- own(i, at) * sapply(at, function(t) sum((part * dnorm(t, mean_h, sd_j))[!tiny]))
  F <- (cumsum(d) - d / 2) * (at[2] - at[1])
  mass <- tapply((as.vector(W)[keep] * tiny), factor(mean_h, levels = mu), sum); mass[is.na(mass)] <- 0
  extra <- approxfun(mu + (mu[2] - mu[1]) / 2, cumsum(mass), rule = 2)  # the cells of the grid are even
  sapply(share, function(s) { f <- approxfun(at, F); plogis(uniroot(function(q) f(q) + extra(q) - s, c(-19, 3), tol = 1e-10)$root) }) }))
write_json(list(R = R.version.string, x = x, n = n, share = share, beta_binomial = beta, logit_normal_sites = c(1, 2, 5, 8) - 1,
  logit_normal = normal), "site_posterior.json", digits = NA, auto_unbox = TRUE)
print(beta, digits = 8); print(normal, digits = 8)
