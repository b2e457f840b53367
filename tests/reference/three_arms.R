# Writes three_arms.json: weighted means of three arms from the multinomial model of nnet (data of weighting.json),
# standard errors by stacked estimating equations with numerical derivatives.
suppressMessages({library(jsonlite); library(nnet)})
d <- fromJSON("weighting.json")$data; n <- nrow(d); K <- 3
X <- model.matrix(~ baseline + age + female, d); q <- ncol(X)
m <- multinom(factor(arm3) ~ baseline + age + female, d, trace = FALSE, reltol = 1e-16, abstol = 1e-12, maxit = 5000)
prob <- function(b) { eta <- cbind(0, X %*% b[1:q], X %*% b[q + 1:q]); exp(eta) / rowSums(exp(eta)) }
h <- list(overlap = function(p) 1 / rowSums(1 / p), ate = function(p) rep(1, n), matching = function(p) apply(p, 1, min))
A <- sapply(0:2, function(k) d$arm3 == k)
jac <- function(f, th) sapply(seq_along(th), function(j) { s <- 1e-5 * max(1, abs(th[j])); g <- function(k) { u <- th; u[j] <- u[j] + k * s; f(u) }
  (8 * (g(1) - g(-1)) - (g(2) - g(-2))) / (12 * s) })
b <- c(t(coef(m)))
out <- lapply(names(h), function(k) {
  w <- function(b) { p <- prob(b); A * h[[k]](p) / p }
  W <- w(b); mu <- colSums(W * d$y) / colSums(W)
  psi <- function(th) { p <- prob(th); cbind(X * (A[, 2] - p[, 2]), X * (A[, 3] - p[, 3]), w(th) * (d$y - rep(th[2 * q + 1:3], each = n))) }
  th <- c(b, mu); J <- jac(function(t) colSums(psi(t)), th); V <- solve(J) %*% crossprod(psi(th)) %*% t(solve(J))
  se <- function(i, j) { g <- rep(0, 2 * q + 3); g[2 * q + i] <- 1; g[2 * q + j] <- -1; sqrt(drop(g %*% V %*% g)) }
  list(kind = k, mean = mu, weights = rowSums(W), se_01 = se(1, 2), se_02 = se(1, 3), se_12 = se(2, 3)) })
write_json(list(R = R.version.string, nnet = as.character(packageVersion("nnet")), fits = out), "three_arms.json", digits = NA, auto_unbox = TRUE)
