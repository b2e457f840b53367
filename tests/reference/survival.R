# Pinned results of survival and cmprsk on small data with ties. Writes survival.json beside itself.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
options(digits = 17)
set.seed(20); n <- 160
d <- data.frame(x1 = round(rnorm(n), 2), x2 = rbinom(n, 1, .5), w = round(runif(n, .3, 2), 2),
  cl = rep(1:80, each = 2), s = sample(0:1, n, TRUE), arm = rbinom(n, 1, .5))
t1 <- rexp(n, .01 * exp(.5 * d$x1 - .4 * d$arm)); t2 <- rexp(n, .008 * exp(.3 * d$x2)); tc <- runif(n, 5, 150)
d$time <- pmax(1, ceiling(pmin(t1, t2, tc) / 4) * 4)
d$cause <- ifelse(tc < pmin(t1, t2), 0, ifelse(t1 < t2, 1, 2))
d$fc <- factor(d$cause, 0:2, c("cens", "a", "b")); d$id <- 1:n
ctl <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
fit <- function(f) list(beta = unname(coef(f)), cov = unname(as.matrix(if (is.null(f$naive.var)) f$var else f$naive.var)),
  robust = unname(as.matrix(f$var)), loglik = f$loglik)
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
  cmprsk = as.character(packageVersion("cmprsk"))))
out$data <- d[c("time", "cause", "x1", "x2", "w", "cl", "s", "arm")]
out$cox_efron <- fit(coxph(Surv(time, cause == 1) ~ x1 + x2, d, control = ctl))
out$cox_breslow <- fit(coxph(Surv(time, cause == 1) ~ x1 + x2, d, ties = "breslow", control = ctl))
out$cox_full <- fit(coxph(Surv(time, cause == 1) ~ x1 + x2 + strata(s), d, weights = w, cluster = cl, control = ctl))
z <- function(f) { t <- cox.zph(f)$table; list(chi2 = unname(t[, 1]), p = unname(t[, 3])) }
out$zph <- z(coxph(Surv(time, cause == 1) ~ x1 + x2, d, control = ctl))
out$zph_strata <- z(coxph(Surv(time, cause == 1) ~ x1 + x2 + strata(s), d, weights = w, control = ctl))
crr1 <- crr(d$time, d$cause, as.matrix(d[c("x1", "x2")]), failcode = 1, cencode = 0, gtol = 1e-12, maxiter = 100)
out$crr <- list(beta = unname(crr1$coef), var = unname(crr1$var), loglik = crr1$loglik, loglik0 = crr1$loglik.null)
fg <- finegray(Surv(time, fc) ~ ., d, etype = "a")
out$finegray <- fit(coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2, fg, weights = fgwt, cluster = id, control = ctl))
fgw <- finegray(Surv(time, fc) ~ ., d, etype = "a", weights = w)
out$finegray_w <- fit(coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2, fgw, weights = fgwt, cluster = cl, control = ctl))
msf <- function(f, times) { k <- summary(f, times = times, extend = TRUE); list(time = k$time, p = k$pstate[, 2:3], se = k$std.err[, 2:3],
  low = k$lower[, 2:3], high = k$upper[, 2:3], n = k$n.risk[, 1]) }
at <- c(8, 40, 100)
out$aj <- msf(survfit(Surv(time, fc) ~ 1, d), at)
out$aj_w <- msf(survfit(Surv(time, fc) ~ 1, d, weights = w), at)
cu <- cuminc(d$time, d$cause, d$arm, rho = 0, cencode = 0)
tp <- timepoints(cu, at)
out$cuminc <- list(est = unname(tp$est), var = unname(tp$var), rows = rownames(tp$est), tests = unname(cu$Tests), causes = rownames(cu$Tests))
g3 <- cuminc(d$time, d$cause, d$arm + 2 * (d$x1 > .8)); out$gray4 <- list(tests = unname(g3$Tests))
km <- function(type, ...) { k <- summary(survfit(Surv(time, cause > 0) ~ 1, d, conf.type = type, ...), times = at)
  list(s = k$surv, se = k$std.err, low = k$lower, high = k$upper, n = k$n.risk) }
out$km <- km("log"); out$km_loglog <- km("log-log"); out$km_w <- km("log", weights = d$w)
r <- summary(survfit(Surv(time, cause > 0) ~ arm, d), rmean = 90)$table
out$rmst <- list(est = unname(r[, "rmean"]), se = unname(r[, "se(rmean)"]))
r <- summary(survfit(Surv(time, fc) ~ arm, d), rmean = 90)$table
out$rmtl <- list(names = rownames(r), columns = colnames(r), table = unname(r))
lr <- survdiff(Surv(time, cause > 0) ~ arm, d); out$logrank <- list(chisq = lr$chisq, obs = lr$obs, exp = lr$exp)
lr <- survdiff(Surv(time, cause > 0) ~ arm + strata(s), d); out$logrank_strata <- list(chisq = lr$chisq)
dia <- survival::diabetic
out$diabetic <- list(time = dia$time, status = dia$status, trt = dia$trt, id = dia$id,
  fit = fit(coxph(Surv(time, status) ~ trt, dia, cluster = id, control = ctl)))
m <- survival::mgus2; m$etime <- with(m, ifelse(pstat == 0, futime, ptime)); m$ev <- with(m, ifelse(pstat == 0, 2 * death, 1))
ms <- survfit(Surv(etime, factor(ev, 0:2, c("cens", "pcm", "death"))) ~ 1, m)
out$mgus2 <- list(time = m$etime, cause = m$ev, fit = msf(ms, c(120, 240, 360)))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "survival.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
