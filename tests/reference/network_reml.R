# Writes network_reml.json: REML of the exact multivariate network model by metafor's rma.mv.
# Networks are those of netmeta_reference.json. Each study enters as its contrasts against one of its
# arms with their full sampling covariance; between-study covariance is tau2/2 (struct CS, rho 0.5).
# netmeta 2.8-2 passes the same function a diagonal sampling covariance, so its tau2 for networks
# with multi-arm studies differs and changes with the reference group.
# Versions: metafor 3.8-1, R 4.2.2
suppressMessages({library(metafor); library(jsonlite)})
d <- fromJSON("netmeta_reference.json", simplifyVector = TRUE)
fit_one <- function(contrasts, treatments, exact, reference) {
  rows <- NULL; Vs <- list()
  for (s in unique(contrasts$study)) {
    r <- contrasts[contrasts$study == s, ]
    arms <- treatments[treatments %in% c(r$treat_t, r$treat_c)]
    base <- if (reference %in% arms) reference else arms[length(arms)]
    v <- function(x, y) if (x == y) 0 else
      r$se[(r$treat_t == x & r$treat_c == y) | (r$treat_t == y & r$treat_c == x)]^2
    others <- setdiff(arms, base); m <- length(others); V <- matrix(0, m, m)
    for (i in 1:m) for (j in 1:m)
      V[i, j] <- (v(others[i], base) + v(others[j], base) - v(others[i], others[j])) / 2
    if (!exact) V <- diag(diag(V), m)
    y <- sapply(others, function(x) {
      k <- which(r$treat_t == x & r$treat_c == base)
      if (length(k)) r$effect[k] else -r$effect[r$treat_t == base & r$treat_c == x]
    })
    rows <- rbind(rows, data.frame(study = s, t = others, b = base, y = y)); Vs <- c(Vs, list(V))
  }
  X <- sapply(treatments, function(x) (rows$t == x) - (rows$b == x))[, -1]
  best <- NULL
  # rma.mv searches log(tau2) from a start; the best of several starts is kept
  for (start in c(1e-6, 0.01, 0.05, 0.1)) {
    f <- tryCatch(rma.mv(rows$y, bldiag(Vs), mods = X, intercept = FALSE, random = ~ t | study,
      data = rows, struct = "CS", rho = 0.5, method = "REML",
      control = list(optimizer = "BFGS", reltol = 1e-15, tau2.init = start)), error = function(e) NULL)
    if (!is.null(f) && (is.null(best) || f$fit.stats["ll", "REML"] > best$fit.stats["ll", "REML"])) best <- f
  }
  list(tau2 = best$tau2, estimate = as.numeric(best$b), se = best$se, log_likelihood = best$fit.stats["ll", "REML"])
}
references <- c(senn2013 = "plac", woods2010 = "Placebo", linde2015 = "Placebo", dong2013 = "Placebo")
out <- list(versions = list(R = R.version$version.string, metafor = as.character(packageVersion("metafor"))), networks = list())
for (n in names(d)) {
  out$networks[[n]] <- list(
    first = d[[n]]$treatments[1],
    exact = fit_one(d[[n]]$contrasts, d[[n]]$treatments, TRUE, references[[n]]),
    diagonal = fit_one(d[[n]]$contrasts, d[[n]]$treatments, FALSE, references[[n]]))
  cat(n, sprintf("%.12f", out$networks[[n]]$exact$tau2), sprintf("%.12f", out$networks[[n]]$diagonal$tau2),
      sprintf("%.12f", d[[n]]$random_reml$tau2), "\n")
}
write_json(out, "network_reml.json", digits = NA, auto_unbox = TRUE)
