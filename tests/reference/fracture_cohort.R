# A small cohort analysed as patients: weights, curves, hazards, means to a horizon. Writes fracture_cohort.json.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
options(digits = 17)
ctl <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
set.seed(31); n <- 240
d <- data.frame(age = round(rnorm(n, 75, 8)), sex = sample(c("female", "male"), n, TRUE, c(.7, .3)), site = sample(letters[1:6], n, TRUE))
d$kp <- rbinom(n, 1, plogis((d$age - 75) / 12)); fx <- rexp(n, .0015 * exp(.02 * (d$age - 75) - .5 * d$kp)); dx <- rexp(n, .0008)
d$end <- ceiling(runif(n, 60, 900)); d$fx <- ceiling(fx); d$dx <- ceiling(dx)
d$time <- pmin(d$fx, d$dx, d$end); d$cause <- ifelse(d$fx <= pmin(d$dx, d$end), 1, ifelse(d$dx <= d$end, 2, 0))
d$fc <- factor(d$cause, 0:2, c("cens", "fx", "death")); d$id <- 1:n
e <- fitted(glm(kp ~ age + sex, binomial, d, control = glm.control(epsilon = 1e-14, maxit = 50)))
d$ow <- ifelse(d$kp == 1, 1 - e, e); d$ate <- ifelse(d$kp == 1, 1 / e, 1 / (1 - e)); d$att <- ifelse(d$kp == 1, 1, e / (1 - e))
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival")), cmprsk = as.character(packageVersion("cmprsk"))))
out$data <- d[c("age", "sex", "site", "kp", "end", "fx", "dx", "time", "cause")]
fit <- function(f) list(beta = unname(coef(f)), robust = unname(sqrt(diag(as.matrix(f$var)))))
at <- c(30, 180, 365)
for (w in c("ow", "ate", "att")) { d$w <- d[[w]]
  s <- summary(survfit(Surv(time, fc) ~ kp, d, weights = w), times = at, extend = TRUE)
  q <- 300; r <- summary(survfit(Surv(time, fc) ~ kp, d, weights = w), rmean = q)$table
  out[[w]] <- list(p = s$pstate[, 2], se = s$std.err[, 2], cox = fit(coxph(Surv(time, cause == 1) ~ kp, d, weights = w, cluster = id, control = ctl)),
    lost = unname(r[grep("fx", rownames(r)), 3])) }
out$at <- at
out$cox <- fit(coxph(Surv(time, cause == 1) ~ kp + age + sex, d, control = ctl))
out$cox_site <- fit(coxph(Surv(time, cause == 1) ~ kp + age + sex, d, cluster = site, control = ctl))
g <- crr(d$time, d$cause, cbind(d$kp, d$age, d$sex == "male"), gtol = 1e-12, maxiter = 100)
out$crr <- list(beta = unname(g$coef), robust = unname(sqrt(diag(g$var))))
cu <- cuminc(d$time, d$cause, d$kp); out$gray_p <- unname(cu$Tests["1", "pv"])
# Death
d$last <- pmin(d$dx, d$end); d$died <- as.integer(d$dx <= d$end)
cx <- coxph(Surv(last, died) ~ kp + age, d, control = ctl); z <- cox.zph(cx)$table
k <- summary(survfit(Surv(last, died) ~ kp, d), times = at, extend = TRUE)
r <- summary(survfit(Surv(last, died) ~ kp, d), rmean = 500)$table
v <- survSplit(Surv(last, died) ~ ., data = d, cut = c(90, 365), episode = "period")
pieces <- coxph(Surv(tstart, last, died) ~ age + kp:strata(period), v, control = ctl)
out$death <- list(cox = list(beta = unname(coef(cx)), se = unname(sqrt(diag(cx$var)))), zph = unname(z["kp", "p"]), zph_global = unname(z["GLOBAL", "p"]),
  s = k$surv, se = k$std.err, rmean = unname(r[, "rmean"]), rmean_se = unname(r[, "se(rmean)"]),
  pieces = list(beta = unname(coef(pieces))[-1], se = unname(sqrt(diag(pieces$var)))[-1]))
m <- survival::mgus2; m$etime <- with(m, ifelse(pstat == 0, futime, ptime)); m$ev <- with(m, ifelse(pstat == 0, 2 * death, 1))
ms <- summary(survfit(Surv(etime, factor(ev, 0:2, c("cens", "pcm", "death"))) ~ sex, m), times = c(60, 120, 240, 400), extend = TRUE)
fg <- crr(m$etime, m$ev, cbind(m$sex == "M", m$age), gtol = 1e-12, maxiter = 100)
cs <- coxph(Surv(etime, ev == 1) ~ I(sex == "M") + age, m, control = ctl)
out$mgus2 <- list(sex = as.character(m$sex), age = m$age, ptime = m$ptime, pstat = m$pstat, futime = m$futime, death = m$death,
  cif = ms$pstate[, 2], se = ms$std.err[, 2], n = ms$n.risk[, 1], strata = as.character(ms$strata), time = ms$time,
  crr = list(beta = unname(fg$coef), se = unname(sqrt(diag(fg$var)))), cox = list(beta = unname(coef(cs)), se = unname(sqrt(diag(cs$var)))),
  gray_p = unname(cuminc(m$etime, m$ev, m$sex)$Tests["1", "pv"]))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "fracture_cohort.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
