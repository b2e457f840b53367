# Pinned rates and contrasts of complications. Writes complications.json beside itself.
library(jsonlite)

poisson <- lapply(c(1, 4), function(x) {
  years <- (x * 12 + (20 - x) * 400) / 365.25
  list(events = x, day = 12, followup = 400, years = years,
       limits = as.numeric(poisson.test(x, years)$conf.int))
})

# Two arms, three sites, one binary outcome, two covariates; no random numbers.
n <- 240
i <- 0:(n - 1)
age <- 60 + (i * 37) %% 31
female <- as.numeric((i * 7) %% 5 < 3)
site <- (i * 11) %% 3
treated <- as.numeric(((i * 13) %% 17) + (age - 60) / 10 > 9)
y <- as.numeric(((i * 29) %% 23) - treated + (age - 60) / 8 > 21)
d <- data.frame(y, treated, age, female, site)

mh <- mantelhaen.test(table(1 - d$treated, 1 - d$y, d$site), correct = FALSE)
tables <- lapply(0:2, function(s) {
  k <- d[d$site == s, ]
  c(sum(k$y[k$treated == 1]), sum(k$treated), sum(k$y[k$treated == 0]), sum(1 - k$treated))
})
cells <- do.call(rbind, tables)
x1 <- cells[, 1]; n1 <- cells[, 2]; x0 <- cells[, 3]; n0 <- cells[, 4]; N <- n1 + n0
# Risk ratio: Greenland and Robins 1985; risk difference: Sato 1989.
R <- sum(x1 * n0 / N); S <- sum(x0 * n1 / N)
rr_se <- sqrt(sum((n1 * n0 * (x1 + x0) - x1 * x0 * N) / N^2) / (R * S))
w <- n1 * n0 / N
rd <- sum((x1 * n0 - x0 * n1) / N) / sum(w)
P <- sum((n1^2 * x0 - n0^2 * x1 + n1 * n0 * (n0 - n1) / 2) / N^2)
Q <- sum((x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * N))
rd_se <- sqrt((rd * P + Q) / sum(w)^2)
mantel <- list(or = c(mh$estimate, mh$conf.int), rr = R / S * exp(c(0, -1, 1) * qnorm(.975) * rr_se),
               rd = rd + c(0, -1, 1) * qnorm(.975) * rd_se)

# Firth's penalised likelihood, maximised by optim and profiled by uniroot; brglm2 as a second answer.
penalised <- function(beta, X, y) {
  eta <- as.vector(X %*% beta)
  p <- plogis(eta)
  sum(y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE)) +
    0.5 * as.numeric(determinant(crossprod(X * sqrt(p * (1 - p))))$modulus)
}
best <- function(X, y, fixed = NULL) {
  free <- if (is.null(fixed)) seq_len(ncol(X)) else seq_len(ncol(X))[-2]
  at <- function(b) { full <- numeric(ncol(X)); full[free] <- b; if (!is.null(fixed)) full[2] <- fixed; full }
  o <- list(par = numeric(length(free)))
  for (k in 1:4) o <- optim(o$par, function(b) -penalised(at(b), X, y), method = "BFGS",
                            control = list(reltol = 1e-16, maxit = 2000))
  list(coef = at(o$par), value = -o$value)
}
firth <- function(X, y) {
  top <- best(X, y)
  drop <- function(b) 2 * (top$value - best(X, y, b)$value)
  b <- top$coef[2]
  gap <- function(v) drop(v) - qchisq(.95, 1)
  list(estimate = b, low = uniroot(gap, c(b - 8, b), tol = 1e-10)$root,
       high = uniroot(gap, c(b, b + 8), tol = 1e-10)$root,
       p = pchisq(drop(0), 1, lower.tail = FALSE), value = top$value)
}
scaled <- cbind(1, d$treated, (d$age - 75) / 10, d$female)
with_covariates <- firth(scaled, d$y)
rare <- as.numeric(i %in% c(3, 50, 117) & treated == 0 | i == 999)
rare[which(treated == 0)[c(5, 40, 77)]] <- 1
separated <- firth(scaled[, 1:2], rare)
second <- coef(glm(y ~ treated + age + female, binomial, d, method = brglm2::brglmFit, type = "AS_mean",
                   control = list(epsilon = 1e-12, maxit = 500)))[["treated"]]

# g-computation: standardised risks of a logistic model, numerical delta method.
formula <- y ~ treated + age + female
fit <- glm(formula, binomial, d, control = glm.control(epsilon = 1e-14))
risks <- function(beta) sapply(1:0, function(a) {
  X <- model.matrix(formula, transform(d, treated = a)); mean(plogis(X %*% beta)) })
contrast <- function(beta) { r <- risks(beta); c(r[1] - r[2], log(r[1] / r[2]), qlogis(r[1]) - qlogis(r[2])) }
slope <- function(f, beta) sapply(seq_along(beta), function(j) {
  h <- 1e-4 * max(1, abs(beta[j])) * ifelse(j == 3, .01, 1); e <- replace(numeric(length(beta)), j, h)
  (8 * (f(beta + e) - f(beta - e)) - (f(beta + 2 * e) - f(beta - 2 * e))) / (12 * h) })
X <- model.matrix(fit); p <- fitted(fit)
bread <- solve(crossprod(X * sqrt(p * (1 - p))))
J <- slope(contrast, coef(fit)); J0 <- slope(risks, coef(fit))
psi <- (X * (d$y - p)) %*% bread            # influence on the coefficients
own <- sapply(1:0, function(a) plogis(model.matrix(formula, transform(d, treated = a)) %*% coef(fit)))
r <- colMeans(own)
outer <- rbind(c(1, -1), c(1 / r[1], -1 / r[2]), c(1 / (r[1] * (1 - r[1])), -1 / (r[2] * (1 - r[2]))))
psi_risk <- psi %*% t(J0) + sweep(own, 2, r) / n
se <- sqrt(diag(outer %*% crossprod(psi_risk) %*% t(outer)))
g <- list(estimate = contrast(coef(fit)), se = se)

# Overlap weights: a logistic propensity, risks weighted, stacked estimating equations by numbers.
ps <- glm(treated ~ age + female, binomial, d, control = glm.control(epsilon = 1e-14))
equations <- function(theta) {
  Z <- model.matrix(ps); e <- as.vector(plogis(Z %*% theta[1:3]))
  cbind(Z * (treated - e), treated * (1 - e) * (y - theta[4]), (1 - treated) * e * (y - theta[5]))
}
e <- fitted(ps)
risk <- c(sum(treated * (1 - e) * y) / sum(treated * (1 - e)), sum((1 - treated) * e * y) / sum((1 - treated) * e))
theta <- c(coef(ps), risk)
A <- slope(function(t) colSums(equations(t)), theta * 1)
V <- solve(A) %*% crossprod(equations(theta)) %*% t(solve(A))
L <- rbind(c(0, 0, 0, 1, -1), c(0, 0, 0, 1 / risk[1], -1 / risk[2]),
           c(0, 0, 0, 1 / (risk[1] * (1 - risk[1])), -1 / (risk[2] * (1 - risk[2]))))
overlap <- list(estimate = c(risk[1] - risk[2], log(risk[1] / risk[2]), qlogis(risk[1]) - qlogis(risk[2])),
                se = sqrt(diag(L %*% V %*% t(L))))

exact <- fisher.test(matrix(c(7, 93, 1, 119), 2))
# Its limits solved again, since fisher.test stops early: tails of the conditional distribution.
tail_of <- function(psi, k) { w <- dhyper(0:8, 100, 120, 8) * psi^(0:8); sum(w[0:8 %in% k]) / sum(w) }
exact_limits <- c(uniroot(function(v) tail_of(exp(v), 7:8) - .025, c(-5, 9), tol = 1e-14)$root,
                  uniroot(function(v) tail_of(exp(v), 0:7) - .025, c(-5, 9), tol = 1e-14)$root)
exact_or <- uniroot(function(v) sum(0:8 * dhyper(0:8, 100, 120, 8) * exp(v * 0:8)) /
                      sum(dhyper(0:8, 100, 120, 8) * exp(v * 0:8)) - 7, c(-5, 9), tol = 1e-14)$root
p <- c(.012, .2, .03, .04, .9)
out <- list(version = R.version.string, brglm2 = as.character(packageVersion("brglm2")), poisson = poisson,
  data = d, mantel_haenszel = mantel, firth = with_covariates, firth_brglm2 = second, rare = rare,
  firth_separated = separated, g_computation = g, overlap = overlap,
  holm = list(p = p, adjusted = p.adjust(p, "holm")),
  fisher_test = list(estimate = exp(exact_or), limits = exp(exact_limits), p = exact$p.value))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))),
                  "complications.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
