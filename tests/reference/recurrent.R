# Recurrent events, delayed entry and curves to digitise, on public data. Writes recurrent.json.
suppressMessages({library(survival); library(jsonlite)})
options(digits = 17)
ctl <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
fit <- function(f) list(beta = unname(coef(f)), cov = unname(as.matrix(if (is.null(f$naive.var)) f$var else f$naive.var)),
  robust = unname(as.matrix(f$var)), loglik = f$loglik)
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))))
b <- survival::bladder2
out$bladder2 <- list(start = b$start, stop = b$stop, event = b$event, rx = b$rx, size = b$size, number = b$number,
  id = b$id, enum = b$enum,
  andersen_gill = fit(coxph(Surv(start, stop, event) ~ rx + size + number, b, cluster = id, control = ctl)),
  breslow = fit(coxph(Surv(start, stop, event) ~ rx + size + number, b, cluster = id, ties = "breslow", control = ctl)),
  conditional = fit(coxph(Surv(start, stop, event) ~ rx + size + number + strata(enum), b, cluster = id, control = ctl)))
set.seed(5); n <- 60
p <- data.frame(id = 1:n, arm = rep(0:1, n / 2), x = round(rnorm(n), 1), end = ceiling(runif(n, 20, 100)), w = round(runif(n, .4, 2), 2))
p$dead <- rbinom(n, 1, .4)
e <- do.call(rbind, lapply(1:n, function(i) { k <- rpois(1, .02 * p$end[i] * exp(-.4 * p$arm[i]))
  if (k == 0) NULL else data.frame(id = i, day = sort(sample(p$end[i], min(k, p$end[i])))) }))
out$people <- p; out$events <- e
# Mean cumulative count with death as terminal: sum of S(u-) dN(u)/Y(u) (Ghosh and Lin 2000).
mcc <- function(w, who, at) {
  q <- p[who, ]; w <- w[who]; ev <- e[e$id %in% q$id, ]; t <- sort(unique(c(q$end, ev$day)))
  Y <- sapply(t, function(s) sum(w[q$end >= s])); D <- sapply(t, function(s) sum(w[q$end == s & q$dead == 1]))
  N <- sapply(t, function(s) sum(w[match(ev$id[ev$day == s], q$id)]))
  S <- cumprod(1 - D / Y); M <- cumsum(c(1, S[-length(S)]) * N / Y)
  sapply(at, function(a) max(0, M[t <= a])) }
at <- c(15, 40, 80); one <- rep(1, n)
jack <- function(w, who) { h <- 1e-5
  J <- sapply(which(who), function(i) { up <- w; up[i] <- w[i] + h * w[i]; dn <- w; dn[i] <- w[i] - h * w[i]
    (mcc(up, who, at) - mcc(dn, who, at)) / (2 * h) }); sqrt(rowSums(J^2)) }
all <- rep(TRUE, n)
out$mcc <- list(at = at, all = mcc(one, all, at), se = jack(one, all), weighted = mcc(p$w, all, at), weighted_se = jack(p$w, all),
  arm0 = mcc(one, p$arm == 0, at), arm1 = mcc(one, p$arm == 1, at))
# LWYY: Andersen-Gill with the sandwich by patient; all rows of a patient between the events
long <- do.call(rbind, lapply(1:n, function(i) { d <- sort(e$day[e$id == i]); stops <- unique(c(d, p$end[i]))
  data.frame(id = i, start = c(0, stops[-length(stops)]), stop = stops, event = as.integer(stops %in% d), arm = p$arm[i], x = p$x[i], w = p$w[i]) }))
out$lwyy <- fit(coxph(Surv(start, stop, event) ~ arm + x, long, cluster = id, ties = "breslow", control = ctl))
out$lwyy_w <- fit(coxph(Surv(start, stop, event) ~ arm + x, long, weights = w, cluster = id, ties = "breslow", control = ctl))
# Delayed entry with strata, weights and Efron ties
set.seed(8); m <- 90
d <- data.frame(enter = floor(runif(m, 0, 20)), x = round(rnorm(m), 1), g = rbinom(m, 1, .5), s = rbinom(m, 1, .5), w = round(runif(m, .4, 2), 2))
d$leave <- d$enter + ceiling(rexp(m, .05)); d$event <- rbinom(m, 1, .7)
out$late <- d
out$late_fit <- fit(coxph(Surv(enter, leave, event) ~ x + g + strata(s), d, weights = w, cluster = seq_len(m), control = ctl))
# Time-split hazard ratios: veteran, Karnofsky score in three periods
v <- survSplit(Surv(time, status) ~ ., data = veteran, cut = c(90, 180), episode = "period", id = "row")
out$veteran <- list(time = veteran$time, status = veteran$status, karno = veteran$karno, trt = veteran$trt,
  split = fit(coxph(Surv(tstart, time, status) ~ trt + karno:strata(period), v, control = ctl)))
# Curve of the lung trial, by sex, with numbers at risk
l <- survival::lung
curve <- function(s) { f <- survfit(Surv(time, status == 2) ~ 1, l[l$sex == s, ]); at <- seq(0, 900, 150)
  k <- summary(f, times = at, extend = TRUE)
  list(time = c(0, f$time), surv = c(1, f$surv), risk_at = at, n_risk = k$n.risk, events = sum(f$n.event), n = f$n,
    median = unname(summary(f)$table["median"]), rmean = unname(summary(f, rmean = 700)$table["rmean"])) }
out$lung <- list(male = curve(1), female = curve(2), loghr = unname(coef(coxph(Surv(time, status == 2) ~ sex, l))))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "recurrent.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
