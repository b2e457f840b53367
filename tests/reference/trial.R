# Writes trial.json: an invented randomised pain trial (0 to 100, weeks 2, 6, 12 and 26, dropout), its analysis of
# covariance by lm and its mixed models for repeated measures by nlme::gls (REML, unstructured).
suppressMessages({library(nlme); library(jsonlite)})
set.seed(20261)
n <- 180; weeks <- c(2, 6, 12, 26)
p <- data.frame(id = sprintf("S%03d", 1:n), allocation = sample(rep(c("active", "placebo"), n / 2)),
  centre = sample(c("Lyon", "Basel", "Graz"), n, TRUE), years = round(runif(n, 45, 88)), pain_before = round(pmin(98, rnorm(n, 66, 12)), 1))
own <- rnorm(n, 0, 9)
rows <- do.call(rbind, lapply(seq_along(weeks), function(j) data.frame(p, week = weeks[j],
  pain = round(pmin(100, pmax(0, 14 + 0.5 * p$pain_before - (p$allocation == "active") * c(3, 6, 8, 7)[j] +
    c(Basel = 0, Graz = 3, Lyon = -2)[p$centre] - 2 * j + own + rnorm(n, 0, 7 + j))), 1))))
left <- rexp(n, 1 / 60)
rows$pain[rows$week > left[match(rows$id, p$id)] | runif(nrow(rows)) < 0.04] <- NA
rows$pain_before[rows$id %in% c("S007", "S100")] <- NA
p$pain_before[p$id %in% c("S007", "S100")] <- NA
d <- rows[!is.na(rows$pain) & !is.na(rows$pain_before), ]
d$arm <- as.numeric(d$allocation == "active"); d$v <- factor(d$week); d$j <- as.integer(d$v)
line <- function(b, s) list(estimate = unname(b), se = unname(s))
ancova <- lapply(setNames(weeks, weeks), function(w) { f <- lm(pain ~ arm + pain_before + centre + years, d[d$week == w, ])
  ci <- confint(f)["arm", ]
  c(line(coef(f)["arm"], sqrt(vcov(f)["arm", "arm"])), list(df = f$df.residual, low = ci[[1]], high = ci[[2]])) })
change <- lm(I(pain - pain_before) ~ arm + pain_before + centre + years, d[d$week == 12, ])
model <- function(f) { g <- gls(f, d, correlation = corSymm(form = ~ j | id), weights = varIdent(form = ~ 1 | v), method = "REML",
    control = glsControl(tolerance = 1e-12, msTol = 1e-13, maxIter = 500, msMaxIter = 500, opt = "optim"))
  b <- coef(g); V <- vcov(g)
  list(loglik = as.numeric(logLik(g)), visits = lapply(setNames(weeks, weeks), function(w) { k <- paste0("v", w, ":arm")
    line(b[k], sqrt(V[k, k])) })) }
out <- list(R = R.version.string, nlme = as.character(packageVersion("nlme")), data = rows,
  ancova = ancova, change_score = line(coef(change)["arm"], sqrt(vcov(change)["arm", "arm"])),
  baseline_by_visit = model(pain ~ 0 + v + v:arm + v:pain_before + centre + years),
  baseline_once = model(pain ~ 0 + v + v:arm + pain_before + centre + years),
  centre_by_visit = model(pain ~ 0 + v + v:arm + v:pain_before + v:centre + years))
write_json(out, "trial.json", digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null")
