# Writes gee.json: geepack::geeglm on the set of repeated_measures.json (three visits, non-monotone gaps).
# geepack 1.3.9 crashes with the unstructured correlation where visits are missing: that one on complete patients.
suppressMessages({library(geepack); library(jsonlite)})
d <- as.data.frame(fromJSON("repeated_measures.json")$data)
d$y <- suppressWarnings(as.numeric(d$y)); d$visit <- factor(d$visit); d <- d[!is.na(d$y), ]
for (v in 1:3) { d[[paste0("v", v)]] <- as.numeric(d$visit == v); d[[paste0("arm", v)]] <- d$arm * (d$visit == v)
  d[[paste0("base", v)]] <- d$baseline * (d$visit == v) }
whole <- d[d$id %in% names(which(table(d$id) == 3)), ]
tight <- geese.control(epsilon = 1e-13, maxit = 500)
fit <- function(rows, s) {
  g <- geese(y ~ 0 + v1 + v2 + v3 + arm1 + arm2 + arm3 + base1 + base2 + base3 + age, id = rows$id, data = rows, corstr = s, control = tight)
  list(coef = as.list(g$beta), se = as.list(setNames(sqrt(diag(g$vbeta)), names(g$beta))), alpha = unname(g$alpha)) }
fit_weighted <- function(rows, s) {
  rows$w <- 0.5 + (as.integer(factor(rows$id, levels = sort(unique(d$id)))) %% 7) / 4
  g <- geese(y ~ 0 + v1 + v2 + v3 + arm1 + arm2 + arm3 + base1 + base2 + base3 + age, id = rows$id, data = rows, corstr = s, control = tight, weights = rows$w)
  list(coef = as.list(g$beta), se = as.list(setNames(sqrt(diag(g$vbeta)), names(g$beta))), alpha = unname(g$alpha)) }
weighted <- list(independence = fit_weighted(d, "independence"), exchangeable = fit_weighted(d, "exchangeable"),
  unstructured = fit_weighted(whole, "unstructured"), ar1 = fit_weighted(whole, "ar1"))
fits <- list(independence = fit(d, "independence"), exchangeable = fit(d, "exchangeable"), unstructured = fit(whole, "unstructured"), ar1 = fit(whole, "ar1"))
write_json(list(R = R.version.string, geepack = as.character(packageVersion("geepack")), fits = fits, weighted = weighted),
  "gee.json", digits = NA, auto_unbox = TRUE)
