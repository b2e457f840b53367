# Writes bayes.json: the normal-normal model by base R's integrate(), without any meta-analysis package.
# Given tau everything is normal in closed form; integrals over tau run on pieces of (0, Inf).
# Run from this folder: Rscript bayes.R
suppressMessages({library(jsonlite); library(metadat); library(metafor)})
priors <- list(
  half_normal=function(t, s) 2*dnorm(t, 0, s), half_cauchy=function(t, s) 2*dcauchy(t, 0, s),
  uniform=function(t, u) dunif(t, 0, u), log_normal=function(t, m, s) dlnorm(t, m, s),
  log_normal_tau2=function(t, m, s) dlnorm(t^2, m, s)*2*t, flat=function(t) rep(1, length(t)))
solve_for <- function(f, p, lo, hi) { g <- function(x) f(x) - p; while (g(lo) > 0) lo <- lo - (hi - lo); while (g(hi) < 0) hi <- hi + (hi - lo); uniroot(g, c(lo, hi), tol=1e-13)$root }
fit <- function(y, v, tau_prior, mean_prior) {
  prior <- function(t) do.call(priors[[tau_prior[[1]]]], c(list(t), tau_prior[-1]))
  flat <- mean_prior[[1]] == "flat"; m0 <- if (flat) 0 else mean_prior[[2]]; w0 <- if (flat) 0 else 1/mean_prior[[3]]^2
  cond <- function(t) { w <- 1/(v + t^2); W <- w0 + sum(w); m <- (w0*m0 + sum(w*y))/W
    ll <- -sum(log(2*pi*(v + t^2)))/2 - (sum(w*(y - m)^2) + w0*(m - m0)^2)/2 + log(2*pi/W)/2 - (if (flat) 0 else log(2*pi/w0)/2)
    c(m, 1/W, ll) }
  top <- max(sapply(exp(seq(log(1e-4), log(1e3), length.out=200)), function(t) cond(t)[3]))
  upper <- if (tau_prior[[1]] == "uniform") tau_prior[[2]] else Inf
  s <- c(sort(unique(c(sqrt(range(v)), sd(c(y, y + 1e-3)), unlist(tau_prior[-1])[unlist(tau_prior[-1]) > 0]))))
  at <- sort(unique(c(0, as.vector(outer(s, c(0.02, 0.1, 0.3, 1, 3, 10, 40, 200, 2000))), upper))); at <- at[at <= upper]
  if (is.infinite(upper)) at <- sort(unique(c(at, 1e5*max(s))))
  over <- function(h) sum(sapply(seq_len(length(at) - 1), function(i) integrate(function(ts) sapply(ts, function(t) { c <- cond(t); prior(t)*exp(c[3] - top)*h(t, c) }), at[i], at[i+1], rel.tol=1e-11, abs.tol=0, subdivisions=2000, stop.on.error=FALSE)$value))
  Z <- over(function(t, c) 1); E <- function(h) over(h)/Z
  mean <- E(function(t, c) c[1]); tau <- E(function(t, c) t); sd <- sqrt(E(function(t, c) c[2] + (c[1] - mean)^2))
  cdf <- function(x) E(function(t, c) pnorm(x, c[1], sqrt(c[2]))); pred <- function(x) E(function(t, c) pnorm(x, c[1], sqrt(c[2] + t^2)))
  cdf_tau <- function(x) { if (x <= 0) return(0); cut <- at[at < x]; cut <- c(cut, x); sum(sapply(seq_len(length(cut) - 1), function(i) integrate(function(ts) sapply(ts, function(t) prior(t)*exp(cond(t)[3] - top)), cut[i], cut[i+1], rel.tol=1e-11, abs.tol=0, subdivisions=2000, stop.on.error=FALSE)$value))/Z }
  dens0 <- E(function(t, c) dnorm(0, c[1], sqrt(c[2])))
  q <- function(f, p) solve_for(f, p, mean - 3*sd, mean + 3*sd)
  list(tau_prior=tau_prior, mean_prior=mean_prior, mean=mean, sd=sd, median=q(cdf, .5), ci_low=q(cdf, .025), ci_high=q(cdf, .975),
    prediction_low=q(pred, .025), prediction_high=q(pred, .975), tau_mean=tau, tau_median=solve_for(cdf_tau, .5, 0, tau*2),
    tau_ci_low=solve_for(cdf_tau, .025, 0, tau*2), tau_ci_high=solve_for(cdf_tau, .975, 0, tau*2), prob_below_zero=cdf(0),
    bf_no_effect=if (flat) NA else dens0/dnorm(0, m0, 1/sqrt(w0)), bf_no_heterogeneity=if (tau_prior[[1]] == "flat") NA else exp(cond(0)[3] - top)/Z)
}
bcg <- escalc("RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
sets <- list(
  schools=list(effect=c(28.39,7.94,-2.75,6.82,-0.64,0.63,18.01,12.16), variance=c(14.9,10.2,16.3,11.0,9.4,11.4,10.4,17.6)^2, scale=25),
  bcg_rr=list(effect=as.numeric(bcg$yi), variance=as.numeric(bcg$vi), scale=0.5),
  hackshaw1998=list(effect=as.numeric(dat.hackshaw1998$yi), variance=as.numeric(dat.hackshaw1998$vi), scale=0.5),
  invented_two=list(effect=c(-1.1, -0.2), variance=c(0.3, 0.15), scale=0.5),
  invented_one=list(effect=-0.7, variance=0.2, scale=0.5))
out <- list()
for (name in names(sets)) { d <- sets[[name]]; s <- d$scale; k <- length(d$effect); fits <- list()
  for (p in list(list("half_normal", s), list("half_cauchy", s), list("uniform", 2*s), list("log_normal", log(s) - 1, 0.9), list("log_normal_tau2", 2*log(s) - 1, 1.5), list("flat")))
    for (m in list(list("normal", 0, 8*s), list("normal", -s, 2*s), list("flat"))) {
      a <- c(half_cauchy=2, flat=0)[p[[1]]]; a <- (if (is.na(a)) Inf else a) + k - (m[[1]] == "flat")
      if (a > 3) fits[[length(fits) + 1]] <- fit(d$effect, d$variance, p, m) }
  out[[name]] <- list(effect=d$effect, variance=d$variance, fits=fits); cat(name, length(fits), "\n") }
write_json(list(versions=list(R=R.version.string, metadat=as.character(packageVersion("metadat"))), sets=out), "bayes.json", digits=NA, auto_unbox=TRUE, na="null")
