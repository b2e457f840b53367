# Writes reference_based.json: nlme::gls (every coefficient by visit, unstructured covariance, REML) on the set of
# repeated_measures.json with more who leave, then by hand the conditional means of the third visit for patients who left: own arm, jump to
# reference, copy reference, copy increments in reference (Carpenter, Roger & Kenward 2013), and lm on the filled scores.
suppressMessages({library(nlme); library(jsonlite)})
d <- as.data.frame(fromJSON("repeated_measures.json")$data); d$y <- suppressWarnings(as.numeric(d$y)); d$visit <- factor(d$visit)
d$y[(d$id %% 3 == 0 & d$visit == 3) | (d$id %% 5 == 0 & d$visit != 1) | d$id %% 13 == 0] <- NA  # more who leave
full <- d; d <- d[!is.na(d$y), ]
g <- gls(y ~ 0 + visit + visit:arm + visit:baseline + visit:age, data = d, method = "REML",
  correlation = corSymm(form = ~ as.integer(visit) | id), weights = varIdent(form = ~ 1 | visit),
  control = glsControl(maxIter = 500, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14, opt = "optim", optimMethod = "BFGS"))
R <- diag(3); R[lower.tri(R)] <- coef(g$modelStruct$corStruct, unconstrained = FALSE); R <- R + t(R) - diag(3)
sd <- g$sigma * coef(g$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[as.character(levels(d$visit))]
S <- R * (sd %o% sd); b <- coef(g)
mean_of <- function(arm, baseline, age) sapply(levels(full$visit), function(v) b[[paste0("visit", v)]] + arm * b[[paste0("visit", v, ":arm")]] +
  baseline * b[[paste0("visit", v, ":baseline")]] + age * b[[paste0("visit", v, ":age")]])
fill <- function(y, m, known, wanted) { if (!length(wanted)) return(y)
  y[wanted] <- m[wanted]; if (length(known)) y[wanted] <- y[wanted] + S[wanted, known, drop = FALSE] %*% solve(S[known, known], (y - m)[known]); y }
result <- list()
for (how in c("own_arm", "jump_to_reference", "copy_reference", "copy_increments")) {
  rows <- do.call(rbind, lapply(split(full, full$id), function(p) {
    y <- p$y; seen <- which(!is.na(y)); last <- if (length(seen)) max(seen) else 0; own <- mean_of(p$arm[1], p$baseline[1], p$age[1])
    if (p$arm[1] == 0 || how == "own_arm") y <- fill(y, own, seen, which(is.na(y))) else {
      ref <- mean_of(0, p$baseline[1], p$age[1]); before <- seq_len(last)
      y <- fill(y, own, seen, setdiff(before, seen)); m <- ref
      if (how == "jump_to_reference") m[before] <- own[before]
      if (how == "copy_increments" && last > 0) { m <- ref + own[last] - ref[last]; m[before] <- own[before] }
      y <- fill(y, m, before, setdiff(1:3, before)) }
    data.frame(id = p$id[1], arm = p$arm[1], baseline = p$baseline[1], age = p$age[1], y1 = y[1], y2 = y[2], y3 = y[3], last = last) }))
  f <- lm(y3 ~ arm + baseline + age, data = rows)
  result[[how]] <- list(estimate = coef(f)[["arm"]], y3 = rows$y3) }
write_json(list(R = R.version.string, nlme = as.character(packageVersion("nlme")), left_treated = sum(rows$arm == 1 & rows$last < 3),
  data = full, covariance = unname(S), coef = as.list(b), results = result), "reference_based.json", digits = NA, auto_unbox = TRUE, matrix = "rowmajor", na = "null")
print(sapply(result, `[[`, "estimate")); print(table(rows$arm, rows$last))
