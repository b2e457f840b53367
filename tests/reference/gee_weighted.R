# Writes gee_weighted.json: an invented cohort with two visits and confounding by baseline and age, analysed by
# geepack::geeglm with weights from glm (probability of treatment), working correlation exchangeable.
suppressMessages({library(jsonlite); library(geepack)})
set.seed(2207); n <- 260
age <- round(rnorm(n, 72, 8)); b <- round(pmin(10, pmax(0, rnorm(n, 7, 1.3))), 1)
t <- rbinom(n, 1, plogis(-0.2 + 0.04 * (age - 72) + 0.35 * (b - 7))); own <- rnorm(n)
y1 <- round(pmin(10, pmax(0, 1 + 0.5 * b - 1.1 * t + 0.02 * (age - 72) + own + rnorm(n))), 1)
y2 <- round(pmin(10, pmax(0, 1 + 0.4 * b - 0.7 * t + 0.02 * (age - 72) + own + rnorm(n))), 1)
y2[runif(n) < 0.2] <- NA; y1[runif(n) < 0.1 & !is.na(y2)] <- NA
p <- fitted(glm(t ~ b + age, family = binomial, control = list(epsilon = 1e-14, maxit = 100)))
W <- list(overlap = ifelse(t == 1, 1 - p, p), ate = ifelse(t == 1, 1 / p, 1 / (1 - p)),
  att = ifelse(t == 1, 1, p / (1 - p)), matching = pmin(p, 1 - p) / ifelse(t == 1, p, 1 - p))
fit <- function(w) { d <- data.frame(id = rep(1:n, 2), v = factor(rep(1:2, each = n)), y = c(y1, y2), t, b, age, w)
  d <- d[order(d$id, d$v), ]; d <- d[!is.na(d$y), ]
  g <- geeglm(y ~ 0 + v + v:t + v:b + age, id = id, waves = as.integer(v), data = d, weights = w, corstr = "exchangeable",
    control = geese.control(epsilon = 1e-13, maxit = 200))
  k <- c("v1:t", "v2:t"); list(estimate = unname(coef(g)[k]), se = sqrt(diag(g$geese$vbeta))[match(k, names(coef(g)))]) }
write_json(list(R = R.version.string, geepack = as.character(packageVersion("geepack")),
  data = data.frame(age, b, t, y1, y2), weighted = lapply(W, fit)), "gee_weighted.json", digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null")
