# Cumulative logit models of MASS and ordinal, and Wilcoxon-Mann-Whitney with placements. Writes ordinal.json.
suppressMessages({library(MASS); library(ordinal); library(jsonlite)})
options(digits = 17)
set.seed(8); n <- 240
d <- data.frame(treated = rbinom(n, 1, .5), base = round(rnorm(n, 7, 1.4), 1), age = round(rnorm(n, 76, 8)))
latent <- with(d, .9 * treated - .5 * (base - 7) + .03 * (age - 76)) + rlogis(n)
d$y5 <- as.integer(cut(latent, c(-Inf, -1.2, -.2, .7, 1.9, Inf)))           # five categories
d$y11 <- as.integer(cut(latent + .4 * d$treated * (latent > 0), c(-Inf, seq(-2.5, 2.5, length.out = 10), Inf)))
d$y3 <- pmin(d$y5, 3)
one <- function(name) {
  d$o <- factor(d[[name]], ordered = TRUE)
  p <- polr(o ~ treated + base + age, d, Hess = TRUE, control = list(reltol = 1e-15, maxit = 5000))
  k <- clm(o ~ treated + base + age, data = d, control = clm.control(gradTol = 1e-12, relTol = 1e-15, maxIter = 200))
  m <- clm(o ~ base + age, nominal = ~ treated, data = d, control = clm.control(gradTol = 1e-12, relTol = 1e-15, maxIter = 200))
  t <- anova(k, m)
  list(polr = list(coef = unname(coef(p)), zeta = unname(p$zeta), deviance = p$deviance),
    clm = list(coef = unname(k$beta), cuts = unname(k$alpha), se = unname(sqrt(diag(vcov(k)))), loglik = c(logLik(k))),
    nominal = list(loglik = c(logLik(m)), chi2 = t[["LR.stat"]][2], df = t[["df"]][2], p = t[["Pr(>Chisq)"]][2]))
}
wine <- ordinal::wine
w <- clm(rating ~ temp + contact, data = wine, control = clm.control(gradTol = 1e-12, relTol = 1e-15))
wmw <- function(x, y) {                                   # P(x > y) + P(x = y)/2, placements by definition
  H <- outer(x, y, function(a, b) (a > b) + (a == b) / 2)
  p <- mean(H); v1 <- var(rowMeans(H)) / length(x); v0 <- var(colMeans(H)) / length(y)
  list(p = p, se = sqrt(v1 + v0), df = (v1 + v0)^2 / (v1^2 / (length(x) - 1) + v0^2 / (length(y) - 1)),
    W = unname(suppressWarnings(wilcox.test(x, y)$statistic)))
}
out <- list(versions = list(R = R.version.string, MASS = as.character(packageVersion("MASS")),
  ordinal = as.character(packageVersion("ordinal"))), data = d,
  y3 = one("y3"), y5 = one("y5"), y11 = one("y11"),
  wine = list(rating = as.integer(wine$rating), warm = as.integer(wine$temp == "warm"), contact = as.integer(wine$contact == "yes"),
    coef = unname(w$beta), se = unname(sqrt(diag(vcov(w)))), loglik = c(logLik(w))),
  wmw = wmw(d$y5[d$treated == 1], d$y5[d$treated == 0]))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "ordinal.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
