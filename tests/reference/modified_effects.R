# Effects by a modifier: mixed models of nlme at one visit, and weighted least squares. Writes modified_effects.json.
suppressMessages({library(nlme); library(jsonlite)})
options(digits = 17)
set.seed(21); n <- 150; days <- c(7, 30, 90)
d <- data.frame(treated = rbinom(n, 1, .5), base = round(runif(n, 5, 10), 1), old = sample(1:150, n, TRUE), age = round(rnorm(n, 75, 7)))
d$treated <- rbinom(n, 1, plogis(.4 * (d$base - 7.5) - .006 * (d$old - 75)))
b <- rnorm(n, 0, .8)
y <- sapply(1:3, function(j) round(2 + .4 * d$base + d$treated * (-1.4 + .009 * d$old) + .1 * j + b + rnorm(n, 0, .6 + .2 * j), 1))
y[matrix(runif(3 * n) < .12, n)] <- NA
y[rowSums(!is.na(y)) == 0, 2] <- 5
d$band <- as.integer(d$old > 56)
long <- data.frame(id = rep(1:n, 3), j = rep(1:3, each = n), y = c(y), d[rep(1:n, 3), ])
long <- long[!is.na(long$y), ]; long <- long[order(long$id, long$j), ]; long$visit <- factor(long$j)
fit <- function(f) gls(f, long, method = "REML", correlation = corSymm(form = ~ j | id), weights = varIdent(form = ~ 1 | visit),
  control = glsControl(msMaxIter = 1000, msTol = 1e-14, tolerance = 1e-12, opt = "optim", optimMethod = "BFGS", returnObject = TRUE,
    msVerbose = FALSE))
at <- function(g, names) { k <- coef(g)[names]; v <- g$varBeta[names, names]; list(coef = unname(k), cov = unname(v)) }
long$young <- 1 - long$band
g <- fit(y ~ 0 + visit + visit:band + visit:young:treated + visit:band:treated + visit:base)
names(coef(g)) -> nm
bands <- at(g, c(grep("visit2:young:treated", nm, value = TRUE), grep("visit2:band:treated", nm, value = TRUE)))
l <- fit(y ~ 0 + visit + visit:old + visit:treated + visit:old:treated + visit:base)
nm2 <- names(coef(l))
line <- at(l, c("visit2:treated", grep("visit2:old:treated|visit2:treated:old", nm2, value = TRUE)))
s <- d; s$y <- y[, 2]; s <- s[!is.na(s$y), ]
e <- fitted(glm(treated ~ base + age + old, binomial, s, control = glm.control(epsilon = 1e-15, maxit = 100)))
w <- function(kind) switch(kind, overlap = ifelse(s$treated == 1, 1 - e, e), ate = ifelse(s$treated == 1, 1 / e, 1 / (1 - e)),
  att = ifelse(s$treated == 1, 1, e / (1 - e)))
wl <- lapply(c(overlap = "overlap", ate = "ate", att = "att"), function(k) {
  s$w <- w(k); m <- lm(y ~ old * treated, s, weights = w); list(coef = unname(coef(m)[c("treated", "old:treated")])) })
out <- list(versions = list(R = R.version.string, nlme = as.character(packageVersion("nlme"))),
  data = as.list(d), days = days, scores = y, bands = bands, line = line, weighted = wl)
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "modified_effects.json")
write(toJSON(out, digits = NA, na = "null", auto_unbox = TRUE), path)
