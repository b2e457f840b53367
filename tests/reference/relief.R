# Time to lasting relief from visits, worked out in R and fitted with survival. Writes relief.json beside itself.
suppressMessages({library(survival); library(jsonlite)})
options(digits = 17)
set.seed(11); n <- 120; days <- c(7, 30, 90, 180)
arm <- rep(c("KP", "VP"), length.out = n); base <- round(runif(n, 5, 10), 1)
y <- t(sapply(1:n, function(i) pmax(0, round(base[i] * (.8 - .25 * (arm[i] == "KP")) + rnorm(4, 0, 2), 1))))
y[y > 10] <- 10
drop <- matrix(runif(4 * n) < .15, n); lost <- runif(n) < .25; y[drop] <- NA; y[lost, 3:4] <- NA
death <- ifelse(runif(n) < .25, sample(10:220, n, TRUE), NA)
for (i in 1:n) if (!is.na(death[i])) y[i, days >= death[i]] <- NA
one <- function(i) {
  seen <- which(!is.na(y[i, ])); ok <- (base[i] - y[i, seen]) >= .3 * base[i] - 1e-9
  last <- if (length(seen)) days[max(seen)] else 0
  if (length(seen)) for (k in seq_along(seen)) if (all(ok[k:length(ok)])) return(c(days[seen[k]], 1))
  missed <- any(days > last & days < death[i])          # a visit between the last score and death
  if (!is.na(death[i]) && !missed) return(c(death[i], 2))
  if (length(seen)) c(last, 0) else c(NA, NA)
}
found <- t(sapply(1:n, one)); keep <- !is.na(found[, 1])
d <- data.frame(time = found[, 1], cause = factor(found[, 2], 0:2, c("censored", "relief", "died")), arm, base)[keep, ]
e <- fitted(glm(arm == "KP" ~ base, binomial, d, control = glm.control(epsilon = 1e-14)))
d$w <- ifelse(d$arm == "KP", 1 - e, e)                  # overlap weights; in R their level does not matter
d$w <- d$w / mean(d$w); d$one <- 1
at <- c(30, 90, 180)
fit <- function(name) { d$use <- d[[name]]; s <- survfit(Surv(time, cause) ~ arm, d, weights = use)
  k <- summary(s, times = at, extend = TRUE); r <- summary(s, rmean = 180)$table
  list(p = matrix(k$pstate[, 2], 3), se = matrix(k$std.err[, 2], 3), rows = rownames(r), columns = colnames(r), rmean = unname(r)) }
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  data = list(arm = arm, baseline = base, days = days, scores = y, death = death),
  time = found[, 1], cause = found[, 2], plain = fit("one"), weighted = fit("w"))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "relief.json")
write(toJSON(out, digits = NA, na = "null"), path)
