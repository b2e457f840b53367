# Firth's logistic regression where covariates separate the events: firth.json beside itself.
suppressPackageStartupMessages({library(brglm2); library(jsonlite)})
fit <- function(formula, data) {
  f <- glm(formula, binomial, data, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 5000)
  list(beta = unname(coef(f)), se = unname(sqrt(diag(vcov(f)))))
}
data(endometrial)  # NV: no case with 1 has HG 0
set.seed(9); n <- 120  # all nine events, and no other patient, have z, a and x above 0.3
d <- data.frame(a = rbinom(n, 1, .5), x = rnorm(n), z = rbinom(n, 1, .3))
d$y <- as.numeric(d$z == 1 & d$a == 1 & d$x > .3)
out <- list(endometrial = list(x = as.matrix(endometrial[c("NV", "PI", "EH")]), y = endometrial$HG,
  fit = fit(HG ~ NV + PI + EH, endometrial)), separated = list(x = as.matrix(d[c("a", "x", "z")]), y = d$y,
  fit = fit(y ~ a + x + z, d)), brglm2 = as.character(packageVersion("brglm2")), version = R.version.string)
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "firth.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE), path)
