# Writes target_trial.json: a small cohort followed from presentation; clone-censor-weight with the weights of glm
# (arm treated within the grace period) and coxph (start of treatment), risks by survfit on the cloned person-days.
suppressMessages({library(survival); library(jsonlite)})
set.seed(8)
n <- 160; G <- 20; H <- 120; K <- H + 1
age <- round(rnorm(n, 75, 8)); male <- rbinom(n, 1, .3)
r <- exp(.03 * (age - 75) + .3 * male)
death <- ceiling(rexp(n, r / 300)); fracture <- ceiling(rexp(n, r / 200)); end <- sample(60:200, n, TRUE)
wait <- floor(rexp(n, exp(-.03 * (age - 75)) / 30)); which <- sample(c("own", "other", "none"), n, TRUE, c(.5, .2, .3))
own <- ifelse(which == "own", wait, Inf); other <- ifelse(which == "other", wait, Inf)
time <- pmin(death, fracture, end); cause <- ifelse(fracture <= pmin(death, end), 1, ifelse(death <= end, 2, 0))
own[own > time] <- Inf; other[other > time] <- Inf  # not treated any more
d <- data.frame(age, male, time, cause, own, other)

hazard <- function(until, started, X) {  # Breslow: cumulative baseline hazard by day, and the ratio of each patient
  f <- coxph(Surv(until, started) ~ X, ties = "breslow", control = coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100))
  b <- basehaz(f, centered = FALSE); step <- stepfun(b$time, c(0, b$hazard))
  list(at = step, ratio = drop(exp(X %*% coef(f))), coef = unname(coef(f))) }
days <- function(last, cause, w) {  # one row per patient and day at risk; w(i, day)
  rows <- do.call(rbind, lapply(seq_along(last), function(i) if (last[i] >= 0) data.frame(id = i, day = 0:last[i])))
  rows$w <- mapply(w, rows$id, rows$day); rows$end <- ifelse(rows$day == last[rows$id], cause[rows$id], 0); rows }
# survfit with several states takes one weight per id (survival 3.5), so with a competing event the sums are written
# out and the standard error is the infinitesimal jackknife by numerical derivatives in the weight of each patient.
risk <- function(rows, H, n) {
  if (!any(rows$end == 2)) {
    s <- survfit(Surv(day - .5, day + .5, end) ~ 1, data = rows, weights = w, cluster = id)
    k <- max(which(s$time <= H + .5)); return(list(value = 1 - s$surv[k], se = s$std.err[k] * (if (s$logse) s$surv[k] else 1))) }
  rows <- rows[rows$day <= H, ]
  aj <- function(v) { w <- rows$w * v[rows$id]; at <- tapply(w, rows$day, sum)
    d1 <- tapply(w * (rows$end == 1), rows$day, sum); d2 <- tapply(w * (rows$end == 2), rows$day, sum)
    sum(c(1, cumprod(1 - (d1 + d2) / at))[seq_along(at)] * d1 / at) }
  one <- rep(1, n); slope <- sapply(1:n, function(i) { u <- one; u[i] <- 1 + 1e-4; v <- one; v[i] <- 1 - 1e-4; (aj(u) - aj(v)) / 2e-4 })
  list(value = aj(one), se = sqrt(sum(slope^2))) }
one <- function(d, G, H, X) {
  intime <- d$own <= G & d$own <= d$other; stray <- d$other <= G & d$other < d$own
  # treatment strategy
  last <- ifelse(stray, pmin(d$time, d$other - 1), ifelse(intime, d$time, pmin(d$time, G)))
  until <- pmin(d$time, d$own, d$other, G); hz <- NULL; cum <- function(i, u) 0
  if (any(stray)) { hz <- hazard(until, stray & d$other <= d$time, X); cum <- function(i, u) hz$at(min(u, d$own[i], G)) * hz$ratio[i] }
  dec <- d$time > G & !stray; pw <- sapply(1:nrow(d), function(i) exp(cum(i, G)))
  g <- suppressWarnings(glm(intime ~ X, binomial, weights = pw, subset = dec, control = glm.control(epsilon = 1e-15, maxit = 200)))
  p <- rep(1, nrow(d)); p[dec] <- fitted(g)
  wt <- function(i, u) exp(cum(i, u)) * (if (u > G) 1 / p[i] else 1)
  t <- risk(days(last, ifelse(last == d$time, d$cause, 0), wt), H, nrow(d))
  # comparator strategy
  first <- pmin(d$own, d$other); out <- first <= G
  lastc <- ifelse(out, pmin(d$time, first - 1), d$time)
  hc <- hazard(pmin(d$time, first, G), out & first <= d$time, X)
  wc <- function(i, u) exp(hc$at(min(u, G)) * hc$ratio[i])
  c0 <- risk(days(lastc, ifelse(lastc == d$time, d$cause, 0), wc), H, nrow(d))
  list(risk_t = t$value, risk_c = c0$value, se_t = t$se, se_c = c0$se, glm = unname(coef(g)), cox_c = hc$coef,
       cox_t = if (is.null(hz)) NULL else hz$coef) }
X <- as.matrix(d[, c("age", "male")])
with_third <- one(d, G, H, X)
d2 <- d; d2$other <- Inf
two <- one(d2, G, H, X)
d3 <- d2; d3$cause <- ifelse(d3$cause == 2, 0, d3$cause)
no_competing <- one(d3, G, H, X)
as_na <- function(x) ifelse(is.finite(x), x, NA)
write_json(list(R = R.version.string, survival = as.character(packageVersion("survival")), grace = G, day = H,
  data = transform(d, own = as_na(own), other = as_na(other)), three_treatments = with_third, two_treatments = two,
  no_competing = no_competing), "target_trial.json", digits = NA, auto_unbox = TRUE, na = "null")
