# Writes repeated_measures.json: nlme::gls with an unstructured covariance, REML, on a set with three visits,
# a covariate without and one with an effect per visit, and non-monotone gaps.
suppressMessages({library(nlme); library(jsonlite); library(MASS)})
set.seed(20); n <- 90; k <- 3
S <- matrix(c(4, 2.5, 1.5, 2.5, 5, 3, 1.5, 3, 6), 3)
arm <- rbinom(n, 1, .45); base <- round(rnorm(n, 7, 1.5), 1); age <- round(rnorm(n, 76, 8))
mu <- outer(2 + .4 * base + .02 * age, rep(1, k)) - outer(arm, c(1.5, 1.2, .6)) - rep(1, n) %o% c(0, .4, .8)
y <- round(mu + mvrnorm(n, rep(0, k), S), 1)
y[cbind(sample(n, 30, TRUE), sample(k, 30, TRUE))] <- NA
d <- data.frame(id = rep(1:n, each = k), arm = rep(arm, each = k), baseline = rep(base, each = k),
                age = rep(age, each = k), visit = factor(rep(1:k, n)), y = as.vector(t(y)))
full <- d; d <- d[!is.na(d$y), ]
g <- gls(y ~ 0 + visit + visit:arm + visit:baseline + age, data = d, method = "REML",
         correlation = corSymm(form = ~ as.integer(visit) | id), weights = varIdent(form = ~ 1 | visit),
         control = glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14, opt = "optim", optimMethod="BFGS", returnObject=FALSE))
R <- diag(k); cs <- coef(g$modelStruct$corStruct, unconstrained = FALSE); R[lower.tri(R)] <- cs; R <- R + t(R) - diag(k)
ratio <- coef(g$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(1:k)]
sd <- g$sigma * ratio
write_json(list(R = R.version.string, nlme = as.character(packageVersion("nlme")), data = full,
  loglik = as.numeric(logLik(g)), covariance = unname(R * (sd %o% sd)), coef = as.list(coef(g)), se = as.list(sqrt(diag(vcov(g))))),
  "repeated_measures.json", digits = NA, auto_unbox = TRUE, matrix = "rowmajor", na = "null")
print(logLik(g), digits = 12); print(R * (sd %o% sd), digits=10); print(coef(g), digits=10)
# The same patients with the baseline as an outcome: one mean for both arms at baseline.
long <- rbind(data.frame(id = 1:n, arm = arm, age = age, visit = 0, y = base), data.frame(id = full$id, arm = full$arm, age = full$age, visit = as.integer(full$visit), y = full$y))
long$y[long$id %in% c(3, 17)  & long$visit == 0] <- NA
long <- long[order(long$id, long$visit), ]; all_rows <- long; long <- long[!is.na(long$y), ]
for (v in 1:3) long[[paste0("arm", v)]] <- long$arm * (long$visit == v)
long$v <- factor(long$visit)
c1 <- gls(y ~ 0 + v + arm1 + arm2 + arm3 + age, data = long, method = "REML", correlation = corSymm(form = ~ as.integer(v) | id), weights = varIdent(form = ~ 1 | v),
  control = glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14, opt = "optim", optimMethod = "BFGS"))
old <- fromJSON("repeated_measures.json", simplifyVector = FALSE)
old$clda <- list(no_baseline = c(3, 17), loglik = as.numeric(logLik(c1)), coef = as.list(coef(c1)), se = as.list(sqrt(diag(vcov(c1)))))
write_json(old, "repeated_measures.json", digits = NA, auto_unbox = TRUE, matrix = "rowmajor", na = "null", null = "null")
print(logLik(c1), digits = 12)
