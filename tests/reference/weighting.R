# Writes weighting.json: a confounded set; propensity by glm and nnet::multinom; effects and standard errors by
# stacked estimating equations solved by direct algebra (numerical derivatives of the stacked equations);
# ANCOVA by lm with sandwich::vcovHC; Welch by t.test. Tight tolerances.
suppressMessages({library(jsonlite); library(sandwich); library(nnet)})
set.seed(31); n <- 240
age <- round(rnorm(n, 75, 8)); female <- rbinom(n, 1, .7); baseline <- round(pmin(10, pmax(2, rnorm(n, 7, 1.6))), 1)
bmd <- round(rnorm(n, -2.5, 1), 1); site <- sample(1:12, n, TRUE)
eta <- -0.4 + .5 * (baseline - 7) - .05 * (age - 75) + .4 * female + .2 * bmd
treated <- rbinom(n, 1, plogis(eta))
y <- round(1 + .5 * baseline + .03 * (age - 75) - .5 * female - 1.4 * treated + .1 * treated * (baseline - 7) + rnorm(n, 0, 1.5 + .5 * treated), 1)
d <- data.frame(treated, baseline, age, female, bmd, site, y)
X <- model.matrix(~ baseline + age + female + bmd, d)
g <- glm(treated ~ baseline + age + female + bmd, binomial, d, control = glm.control(epsilon = 1e-15, maxit = 100))
e <- fitted(g); q <- ncol(X)
h <- list(overlap = function(e) e * (1 - e), ate = function(e) 1 + 0 * e, att = function(e) e, atc = function(e) 1 - e, matching = function(e) pmin(e, 1 - e))
numjac <- function(f, th) { k <- length(th); sapply(1:k, function(j) { s <- 1e-5 * max(1, abs(th[j])); u <- th; u[j] <- u[j] + s; v <- th; v[j] <- v[j] - s; u2 <- th; u2[j] <- u2[j] + 2*s; v2 <- th; v2[j] <- v2[j] - 2*s; (8 * (f(u) - f(v)) - (f(u2) - f(v2))) / (12 * s) }) }
stack_se <- function(psi, th, contrast, cluster = NULL) {  # psi(th): n x k matrix of estimating functions
  A <- numjac(function(t) colSums(psi(t)), th); P <- psi(th)
  if (!is.null(cluster)) P <- rowsum(P, cluster)
  V <- solve(A) %*% crossprod(P) %*% t(solve(A)); sqrt(drop(t(contrast) %*% V %*% contrast)) }
weighted <- lapply(names(h), function(k) {
  f <- h[[k]]; w <- ifelse(treated == 1, f(e) / e, f(e) / (1 - e))
  m1 <- weighted.mean(y[treated == 1], w[treated == 1]); m0 <- weighted.mean(y[treated == 0], w[treated == 0])
  psi <- function(th) { ee <- drop(plogis(X %*% th[1:q])); cbind(X * (treated - ee), treated * f(ee) / ee * (y - th[q + 1]), (1 - treated) * f(ee) / (1 - ee) * (y - th[q + 2])) }
  th <- c(coef(g), m1, m0); ct <- c(rep(0, q), 1, -1)
  fixed <- sqrt(sum((treated * w * (y - m1))^2) / sum(treated * w)^2 + sum(((1 - treated) * w * (y - m0))^2) / sum((1 - treated) * w)^2)
  list(kind = k, weights = w, estimate = m1 - m0, se = stack_se(psi, th, ct), se_site = stack_se(psi, th, ct, site), se_fixed = fixed,
       ess_t = sum(w[treated == 1])^2 / sum(w[treated == 1]^2), ess_c = sum(w[treated == 0])^2 / sum(w[treated == 0]^2)) })
l1 <- lm(y ~ baseline + age + female + bmd, d, subset = treated == 1); l0 <- lm(y ~ baseline + age + female + bmd, d, subset = treated == 0)
b1 <- coef(l1); b0 <- coef(l0)
gc <- mean(X %*% b1 - X %*% b0)
psi_g <- function(th) cbind(X * drop(treated * (y - X %*% th[1:q])), X * drop((1 - treated) * (y - X %*% th[q + 1:q])), X %*% th[1:q] - X %*% th[q + 1:q] - th[2 * q + 1])
m1 <- drop(X %*% b1); m0 <- drop(X %*% b0); ai <- mean(m1 + treated * (y - m1) / e) - mean(m0 + (1 - treated) * (y - m0) / (1 - e))
psi_a <- function(th) { ee <- drop(plogis(X %*% th[1:q])); B1 <- drop(X %*% th[q + 1:q]); B0 <- drop(X %*% th[2 * q + 1:q])
  cbind(X * (treated - ee), X * treated * (y - B1), X * (1 - treated) * (y - B0), B1 + treated * (y - B1) / ee - B0 - (1 - treated) * (y - B0) / (1 - ee) - th[3 * q + 1]) }
last <- function(k) c(rep(0, k - 1), 1)
anc <- lm(y ~ treated + baseline + age, d)
tt <- t.test(y[treated == 1], y[treated == 0])
arm3 <- ifelse(bmd + .3 * baseline + rnorm(n, 0, 3) > 0, 1, 0); arm3 <- ifelse(treated == 1 & arm3 == 1, 2, arm3)
m3 <- multinom(factor(arm3) ~ baseline + age + female, cbind(d, arm3), trace = FALSE, reltol = 1e-16, abstol = 1e-12, maxit = 2000)
smd <- function(x, w = rep(1, n)) { b <- all(x %in% 0:1); v <- function(z) if (b) mean(z) * (1 - mean(z)) else var(z)
  (weighted.mean(x[treated == 1], w[treated == 1]) - weighted.mean(x[treated == 0], w[treated == 0])) / sqrt((v(x[treated == 1]) + v(x[treated == 0])) / 2) }
covs <- c("baseline", "age", "female", "bmd"); wo <- weighted[[1]]$weights
balance <- lapply(covs, function(k) { x <- d[[k]]; w <- wo
  cdf <- function(z, s) sum(w[treated == s] * (x[treated == s] <= z)) / sum(w[treated == s])
  list(covariate = k, smd_before = smd(x), smd_after = smd(x, wo),
    variance_ratio = if (all(x %in% 0:1)) NULL else cov.wt(cbind(x[treated == 1]), w[treated == 1])$cov[1] / cov.wt(cbind(x[treated == 0]), w[treated == 0])$cov[1],
    ks_before = suppressWarnings(unname(ks.test(x[treated == 1], x[treated == 0])$statistic)), ks_after = max(sapply(sort(unique(x)), function(z) abs(cdf(z, 1) - cdf(z, 0))))) })
write_json(list(R = R.version.string, sandwich = as.character(packageVersion("sandwich")), nnet = as.character(packageVersion("nnet")),
  data = cbind(d, arm3), glm = list(coef = unname(coef(g)), se = unname(sqrt(diag(vcov(g)))), probability = unname(e), loglik = as.numeric(logLik(g))),
  multinom = list(coef = unname(coef(m3)), probability = unname(fitted(m3)), loglik = as.numeric(logLik(m3))),
  weighted = weighted, balance = balance,
  g_computation = list(estimate = gc, se = stack_se(psi_g, c(b1, b0, gc), last(2 * q + 1)), se_site = stack_se(psi_g, c(b1, b0, gc), last(2 * q + 1), site)),
  aipw = list(estimate = ai, se = stack_se(psi_a, c(coef(g), b1, b0, ai), last(3 * q + 1)), se_site = stack_se(psi_a, c(coef(g), b1, b0, ai), last(3 * q + 1), site)),
  ancova = list(estimate = unname(coef(anc)[2]), df = anc$df.residual, model = sqrt(vcov(anc)[2, 2]), hc3 = sqrt(vcovHC(anc, "HC3")[2, 2]), hc2 = sqrt(vcovHC(anc, "HC2")[2, 2])),
  welch = list(estimate = unname(diff(rev(tt$estimate))), se = tt$stderr, df = unname(tt$parameter), p = tt$p.value, ci = as.numeric(tt$conf.int))),
  "weighting.json", digits = NA, auto_unbox = TRUE, matrix = "rowmajor")
cat(gc, ai, coef(anc)[2], "\n")
