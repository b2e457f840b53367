# Writes imputation.json: mice::pool.scalar and mice::pool (Rubin's rules, Barnard-Rubin degrees of freedom), and
# mice with method "norm" in each arm on the set of repeated_measures.json, many imputations, pooled over lm.
# The five means and standard errors are printed in the SAS/STAT 13.1 User's Guide, PROC MIANALYZE, output 64.1.1.
suppressMessages({library(mice); library(jsonlite)})
printed <- list(
  oxygen = list(Q = c(47.0120, 47.2407, 47.4995, 47.1485, 47.0042), se = c(.95984, .93540, 1.00766, .95439, .96528)),
  run_time = list(Q = c(10.4441, 10.5040, 10.5922, 10.5279, 10.4913), se = c(.28520, .26661, .26302, .26405, .27275)),
  run_pulse = list(Q = c(171.216, 171.244, 171.909, 171.146, 172.072), se = c(1.59910, 1.75638, 1.85795, 1.75011, 1.84807)))
scalar <- list()
for (name in names(printed)) for (n in c(31, Inf)) {
  p <- printed[[name]]; s <- pool.scalar(p$Q, p$se^2, n = n, k = 1)
  scalar[[length(scalar) + 1]] <- list(name = name, Q = p$Q, se = p$se, df_complete = if (is.finite(n)) n - 1 else "inf",
    estimate = s$qbar, within = s$ubar, between = s$b, total = s$t, increase = s$r, df = s$df, fmi = s$fmi) }
set.seed(4); imp <- mice(nhanes, m = 8, print = FALSE); fits <- with(imp, lm(chl ~ bmi)); s <- summary(pool(fits)); p <- pool(fits)$pooled
fitted <- list(Q = sapply(fits$analyses, function(f) coef(f)[["bmi"]]), se = sapply(fits$analyses, function(f) sqrt(vcov(f)["bmi", "bmi"])),
  df_complete = fits$analyses[[1]]$df.residual, estimate = s$estimate[2], within = p$ubar[2], between = p$b[2], total = p$t[2],
  increase = p$riv[2], df = s$df[2], fmi = p$fmi[2])
d <- as.data.frame(fromJSON("repeated_measures.json")$data); d$y <- suppressWarnings(as.numeric(d$y))
w <- reshape(d[, c("id", "arm", "baseline", "age", "visit", "y")], idvar = c("id", "arm", "baseline", "age"), timevar = "visit", direction = "wide")
m <- 1000; arms <- lapply(0:1, function(a) mice(w[w$arm == a, c("baseline", "age", "y.1", "y.2", "y.3")], m = m, method = "norm",
  maxit = 10, seed = 11 + a, print = FALSE))
Q <- U <- numeric(m)
for (i in seq_len(m)) { z <- rbind(cbind(complete(arms[[1]], i), arm = 0), cbind(complete(arms[[2]], i), arm = 1))
  f <- lm(y.3 ~ arm + baseline + age, data = z); Q[i] <- coef(f)[["arm"]]; U[i] <- vcov(f)["arm", "arm"] }
s <- pool.scalar(Q, U, n = nrow(w), k = 4)
write_json(list(R = R.version.string, mice = as.character(packageVersion("mice")), pooled = c(scalar, list(c(list(name = "nhanes"), fitted))),
  chained = list(m = m, estimate = s$qbar, within = s$ubar, between = s$b, df = s$df, fmi = s$fmi)), "imputation.json", digits = NA, auto_unbox = TRUE)
print(s[c("qbar", "ubar", "b", "df", "fmi")])
