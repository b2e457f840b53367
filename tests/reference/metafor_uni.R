# Writes metafor_uni.json: effect sizes (escalc) and univariate pooling (rma) on public data sets.
# Run from this folder: Rscript metafor_uni.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
# The tightest threshold at which the search still ends.
tightest <- function(fit) for (e in c(1e-14, 1e-13, 1e-12, 1e-11, 1e-10)) { r <- tryCatch(fit(list(threshold=e, maxiter=20000, tau2.max=1e7, tol=1e-14)), error=function(err) NULL); if (!is.null(r)) return(r) }
methods <- c("EE","DL","HE","HS","SJ","ML","REML","EB","PM")
tests <- c(wald="z", hksj="knha", hksj_adhoc="adhoc")
num <- function(x) if (is.null(x) || length(x) == 0) NA else as.numeric(x)[1]
fit_one <- function(yi, vi, method, test) {
  closed <- method %in% c("EE","DL","HE","HS","SJ")
  r <- suppressWarnings(if (closed) rma(yi, vi, method=method, test=tests[[test]]) else tightest(function(ctl) rma(yi, vi, method=method, test=tests[[test]], control=ctl)))
  p <- suppressWarnings(predict(r))
  ci <- if (method == "EE" || length(yi) < 2) c(NA, NA) else suppressWarnings(confint(r, control=list(tau2.max=1e7, tol=1e-13))$random[1, 2:3])
  list(method=method, ci=test, k=r$k, estimate=num(r$b), se=num(r$se), ci_low=num(r$ci.lb), ci_high=num(r$ci.ub), statistic=num(r$zval), p_value=num(r$pval),
       tau2=num(r$tau2), tau2_ci_low=num(ci[1]), tau2_ci_high=num(ci[2]), i2_pct=num(r$I2), h2=num(r$H2), q=num(r$QE), q_df=r$k-1, q_p_value=num(r$QEp),
       prediction_low=num(p$pi.lb), prediction_high=num(p$pi.ub), weights_pct=as.numeric(weights(r)))
}
pools <- list()
pool_set <- function(name, yi, vi) {
  ok <- !is.na(yi) & !is.na(vi); yi <- as.numeric(yi[ok]); vi <- as.numeric(vi[ok])
  fits <- list(); for (m in methods) for (t in names(tests)) fits[[length(fits)+1]] <- tryCatch(fit_one(yi, vi, m, t), error=function(e) list(method=m, ci=t, failed=conditionMessage(e)))
  pools[[name]] <<- list(effect=yi, variance=vi, fits=fits)
}
b <- escalc("RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg); pool_set("bcg_rr", b$yi, b$vi)
b <- escalc("RD", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg); pool_set("bcg_rd", b$yi, b$vi)
n <- escalc("SMD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=dat.normand1999); pool_set("normand1999_smd", n$yi, n$vi)
n <- escalc("MD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=dat.normand1999); pool_set("normand1999_md", n$yi, n$vi)
pool_set("hackshaw1998", dat.hackshaw1998$yi, dat.hackshaw1998$vi)
pool_set("raudenbush1985", dat.raudenbush1985$yi, dat.raudenbush1985$vi)
pool_set("konstantopoulos2011", dat.konstantopoulos2011$yi, dat.konstantopoulos2011$vi)
y <- escalc("OR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=dat.yusuf1985[dat.yusuf1985$table=="6",]); pool_set("yusuf1985_or", y$yi, y$vi)
d <- escalc("PLO", xi=xi, ni=ni, data=data.frame(xi=c(3,7,1,11,0,5), ni=c(40,52,33,120,25,61))); pool_set("invented_plo", d$yi, d$vi)
m <- escalc("ZCOR", ri=ri, ni=ni, data=dat.molloy2014); pool_set("molloy2014_zcor", m$yi, m$vi)
p <- escalc("OR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=data.frame(ai=dat.collins1985b$pre.xti, n1i=dat.collins1985b$pre.nti, ci=dat.collins1985b$pre.xci, n2i=dat.collins1985b$pre.nci)); pool_set("collins1985_or", p$yi, p$vi)
pool_set("invented_k1", 0.1, 0.02); pool_set("invented_k2", c(0.1, 0.9), c(0.02, 0.05)); pool_set("invented_k3_no_heterogeneity", c(0.1, 0.12, 0.09), c(0.1, 0.2, 0.3)); pool_set("invented_k2_homogeneous", c(0.3, 0.3), c(0.02, 0.05))
pool_set("invented_wide_variances", c(0.2, 1.5, -0.7, 0.4, 0.9), c(1e-4, 1, 25, 0.3, 4))

two <- data.frame(events_t=c(0,3,10,1,4,0,12,5), n_t=c(10,10,10,5,123,40,60,5), events_c=c(0,10,10,0,11,3,9,2), n_c=c(10,10,10,9,139,41,58,7))
mean2 <- data.frame(mean_t=c(2,3,-1.5,7.1), sd_t=c(1,2,0.7,2.0), n_t=c(10,20,3,106), mean_c=c(3,4,-2.5,7.4), sd_c=c(1.5,2,0.9,1.9), n_c=c(12,22,2,103))
one <- data.frame(events=c(0,3,10,1,250), n=c(10,10,10,57,3000))
rate <- data.frame(events_t=c(0,3,10,25), time_t=c(10,20,30,1520.5), events_c=c(0,4,0,31), time_c=c(11,21,33,1490.25))
mn <- data.frame(mean=c(7.1,2.5), sd=c(2,1.4), n=c(106,38))
es <- list(); keep <- function(table, measure, rule, r) es[[length(es)+1]] <<- list(measure=measure, add_to=rule, effect=as.numeric(r$yi), variance=as.numeric(r$vi))
rules <- c(only_zero="only0", if_any_zero="if0all", all="all", none="none")
for (r in names(rules)) {
  for (m in c("OR","RR","RD","PETO")) keep(two, m, r, suppressWarnings(escalc(m, ai=events_t, n1i=n_t, ci=events_c, n2i=n_c, data=two, add=0.5, to=rules[[r]])))
  for (m in c("PR","PLN","PLO")) keep(one, m, r, suppressWarnings(escalc(m, xi=events, ni=n, data=one, add=0.5, to=rules[[r]])))
  for (m in c("IRR","IRD")) keep(rate, m, r, suppressWarnings(escalc(m, x1i=events_t, t1i=time_t, x2i=events_c, t2i=time_c, data=rate, add=0.5, to=rules[[r]])))
}
for (m in c("PAS","PFT")) keep(one, m, "only_zero", escalc(m, xi=events, ni=n, data=one))
for (m in c("MD","SMD","ROM")) keep(mean2, m, "only_zero", escalc(m, m1i=mean_t, sd1i=sd_t, n1i=n_t, m2i=mean_c, sd2i=sd_c, n2i=n_c, data=mean2))
keep(mn, "MN", "only_zero", escalc("MN", mi=mean, sdi=sd, ni=n, data=mn))
pft <- escalc("PFT", xi=events, ni=n, data=one); fit <- rma(yi, vi, data=pft, method="DL"); back <- predict(fit, transf=transf.ipft.hm, targs=list(ni=one$n))
write_json(list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), metadat=as.character(packageVersion("metadat"))),
  pools=pools, tables=list(two=two, means=mean2, one=one, rate=rate, mn=mn), effect_sizes=es,
  freeman_tukey=list(estimate=back$pred, ci_low=back$ci.lb, ci_high=back$ci.ub)), "metafor_uni.json", digits=NA, auto_unbox=TRUE, na="null")
