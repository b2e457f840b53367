# Writes metafor_moderators.json: meta-regression (rma with mods), influence, leave1out, cumul, baujat,
# exact permutation tests and subgroups on public data sets. Run from this folder: Rscript metafor_moderators.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
tightest <- function(fit) for (e in c(1e-14, 1e-13, 1e-12, 1e-11, 1e-10)) { r <- tryCatch(fit(list(threshold=e, maxiter=20000, tau2.max=1e7, tol=1e-14)), error=function(err) NULL); if (!is.null(r)) return(r) }
methods <- c("EE","DL","HE","HS","SJ","ML","REML","EB","PM")
tests <- c(wald="z", hksj="knha", hksj_adhoc="adhoc")
num <- function(x) if (is.null(x) || length(x) == 0) NA else as.numeric(x)
fitted_model <- function(d, mods, method, test) suppressWarnings(tightest(function(ctl) rma(yi, vi, mods=mods, data=d, method=method, test=tests[[test]], control=ctl)))
describe <- function(r, new) {
  p <- suppressWarnings(predict(r, newmods=new))
  ci <- if (r$method == "EE") c(NA, NA) else suppressWarnings(confint(r, control=list(tau2.max=1e7, tol=1e-13))$random[1, 2:3])
  list(k=r$k, estimate=num(r$b), se=num(r$se), ci_low=num(r$ci.lb), ci_high=num(r$ci.ub), statistic=num(r$zval), p_value=num(r$pval), vcov=as.matrix(r$vb),
    tau2=num(r$tau2), tau2_se=num(r$se.tau2), tau2_ci_low=num(ci[1]), tau2_ci_high=num(ci[2]), q_moderators=num(r$QM), q_moderators_p_value=num(r$QMp), q_residual=num(r$QE), q_residual_p_value=num(r$QEp), r2_pct=num(r$R2), i2_pct=num(r$I2), h2=num(r$H2),
    predicted=num(p$pred), predicted_se=num(p$se), predicted_ci_low=num(p$ci.lb), predicted_ci_high=num(p$ci.ub), prediction_low=num(p$pi.lb), prediction_high=num(p$pi.ub))
}
regressions <- list()
regress <- function(name, d, formula, python, columns, new) {
  d <- as.data.frame(d); fits <- list()
  for (m in methods) for (t in names(tests)) fits[[length(fits)+1]] <- c(list(method=m, ci=t), describe(fitted_model(d, formula, m, t), new))
  r <- fitted_model(d, formula, "REML", "wald")
  regressions[[name]] <<- list(formula=python, data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[columns])), terms=rownames(r$b), new_at=new, fits=fits)
}
bcg <- escalc("RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg); bcg <- as.data.frame(bcg); bcg$alloc <- as.character(bcg$alloc)
regress("bcg_latitude", bcg, ~ ablat, "~ ablat", c("ablat"), rbind(c(10), c(50)))
regress("bcg_latitude_year", bcg, ~ ablat + year, "~ ablat + year", c("ablat","year"), rbind(c(10,1950), c(50,1970)))
regress("bcg_allocation", bcg, ~ factor(alloc), "~ alloc", c("alloc"), rbind(c(0,0), c(0,1)))
regress("bcg_interaction", bcg, ~ ablat * I(alloc=="random"), "~ ablat * randomised", c("ablat"), rbind(c(10,1,10), c(50,0,0)))
regressions$bcg_interaction$data$randomised <- as.numeric(bcg$alloc == "random")
rau <- as.data.frame(dat.raudenbush1985); rau$setting <- as.character(rau$setting)
regress("raudenbush1985_weeks", rau, ~ weeks, "~ weeks", c("weeks"), rbind(c(0), c(3)))
regress("raudenbush1985_weeks_setting", rau, ~ weeks + setting, "~ weeks + setting", c("weeks","setting"), rbind(c(0,1), c(3,0)))
hac <- as.data.frame(dat.hackshaw1998); hac$design <- as.character(hac$design)
regress("hackshaw1998_year_design", hac, ~ year + design, "~ year + design", c("year","design"), rbind(c(1985,1), c(1995,0)))
mol <- as.data.frame(escalc("ZCOR", ri=ri, ni=ni, data=dat.molloy2014)); mol$design <- as.character(mol$design)
regress("molloy2014_age_quality", mol, ~ meanage + quality, "~ meanage + quality", c("meanage","quality"), rbind(c(40,1), c(60,4)))
kon <- as.data.frame(dat.konstantopoulos2011); kon$district <- as.character(kon$district)
regress("konstantopoulos2011_year", kon, ~ I(year-1976), "~ I(year - 1976)", c("year"), rbind(c(0), c(24)))
ban <- as.data.frame(dat.bangertdrowns2004)[c("yi","vi","length","wic","feedback","info")]; ban <- ban[complete.cases(ban),]
regress("bangertdrowns2004", ban, ~ length + wic + feedback + info, "~ length + wic + feedback + info", c("length","wic","feedback","info"), rbind(c(10,1,0,0), c(20,0,1,1)))
nor <- as.data.frame(escalc("SMD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=dat.normand1999)); nor$hospital <- rep(c("a","b","c"), 3)
regress("normand1999_three_groups", nor, ~ hospital, "~ hospital", c("hospital"), rbind(c(0,1)))

# Without intercept rma() centres the effects, which is wrong unless 1 is in the span; rma.mv does not.
no_intercept <- list()
through_origin <- function(name, d, formula, python, columns) {
  d$id <- seq_len(nrow(d))
  r <- rma.mv(yi, vi, mods=formula, random=~1|id, data=d, method="REML", control=list(optimizer="BFGS", reltol=1e-16, maxit=10000))
  f <- rma.mv(yi, vi, mods=formula, data=d)
  no_intercept[[name]] <<- list(formula=python, data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[columns])), terms=rownames(r$b), estimate=num(r$b), se=num(r$se), tau2=num(r$sigma2), q_moderators=num(r$QM), q_residual=num(r$QE), common_estimate=num(f$b), common_se=num(f$se))
}
through_origin("bcg_allocation", bcg, ~ alloc - 1, "~ 0 + alloc", c("alloc"))
through_origin("bcg_latitude", bcg, ~ ablat - 1, "~ 0 + ablat", c("ablat"))
through_origin("raudenbush1985_weeks", rau, ~ weeks - 1, "~ weeks - 1", c("weeks"))

diagnostics <- list()
look <- function(name, d, method, test, formula=NULL, python=NULL, columns=character(0)) {
  d <- as.data.frame(d)
  fit <- function(dd, ...) suppressWarnings(tightest(function(ctl) if (is.null(formula)) rma(yi, vi, data=dd, method=method, test=tests[[test]], control=ctl) else rma(yi, vi, mods=formula, data=dd, method=method, test=tests[[test]], control=ctl)))
  r <- fit(d); inf <- influence(r, progbar=FALSE)
  pdf(NULL); bj <- baujat(r, progbar=FALSE); dev.off()
  out <- list(data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[columns])), method=method, ci=test, formula=python,
    rstudent=num(inf$inf$rstudent), dffits=num(inf$inf$dffits), cook_d=num(inf$inf$cook.d), cov_ratio=num(inf$inf$cov.r), tau2_deleted=num(inf$inf$tau2.del), q_deleted=num(inf$inf$QE.del), hat=num(inf$inf$hat), weight_pct=num(inf$inf$weight), dfbetas=lapply(unclass(inf$dfbs)[seq_len(r$p)], num), influential=as.logical(inf$is.infl), baujat_x=num(bj$x), baujat_y=num(bj$y))
  if (is.null(formula)) {
    keep <- function(z) { z <- unclass(z); lapply(list(estimate=z$estimate, se=z$se, statistic=z$zval, p_value=if (is.null(z$pval)) z$pvals else z$pval, ci_low=z$ci.lb, ci_high=z$ci.ub, q=z$Q, q_p_value=z$Qp, tau2=z$tau2, i2_pct=z$I2, h2=z$H2), num) }
    out$leave_one_out <- keep(leave1out(r)); out$order <- num(d$ord); out$cumulative <- keep(cumul(r, order=d$ord))
  }
  diagnostics[[paste(name, method, test, sep="_")]] <<- out
}
bcg$ord <- bcg$year + seq_len(nrow(bcg))/1000; hac$ord <- hac$year + seq_len(nrow(hac))/1000; rau$ord <- rau$year + seq_len(nrow(rau))/1000; nor$ord <- seq_len(nrow(nor)); mol$ord <- mol$year + seq_len(nrow(mol))/1000
for (m in methods) look("bcg", bcg, m, "wald")
for (t in c("hksj","hksj_adhoc")) for (m in c("DL","REML")) look("bcg", bcg, m, t)
for (m in c("EE","DL","REML","PM")) { look("hackshaw1998", hac, m, "wald"); look("raudenbush1985", rau, m, "wald"); look("normand1999", nor, m, "wald"); look("molloy2014", mol, m, "wald") }
for (m in c("EE","DL","REML")) look("bcg_latitude", bcg, m, "wald", ~ ablat, "~ ablat", "ablat")
look("bcg_latitude", bcg, "REML", "hksj", ~ ablat, "~ ablat", "ablat")
look("raudenbush1985_weeks", rau, "DL", "wald", ~ weeks, "~ weeks", "weeks")

permutations <- list()
permuted <- function(name, d, formula, python, columns, method, test) {
  r <- fitted_model(d, formula, method, test); p <- permutest(r, exact=TRUE, progbar=FALSE)
  permutations[[name]] <<- list(formula=python, data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[columns])), method=method, ci=test, p_value=num(p$pval), q_p_value=num(p$QMp), iterations=length(p$QM.perm))
}
permuted("bcg_first_seven_latitude", bcg[1:7,], ~ ablat, "~ ablat", "ablat", "DL", "wald")
permuted("bcg_allocation", transform(bcg, randomised=as.numeric(alloc=="random")), ~ randomised, "~ randomised", "randomised", "REML", "wald") -> z
permutations$bcg_allocation$data$randomised <- as.numeric(bcg$alloc == "random")
permuted("raudenbush1985_six_hksj", rau[1:6,], ~ weeks, "~ weeks", "weeks", "DL", "hksj")
rr <- suppressWarnings(tightest(function(ctl) rma(yi, vi, data=bcg[1:8,], method="REML", control=ctl))); p0 <- permutest(rr, exact=TRUE, progbar=FALSE)
permutations$bcg_first_eight_signs <- list(formula="~ 1", data=list(effect=as.numeric(bcg$yi[1:8]), variance=as.numeric(bcg$vi[1:8])), method="REML", ci="wald", p_value=num(p0$pval), iterations=256)

groups <- list()
group <- function(name, d, by, method) {
  parts <- split(d, d[[by]]); fits <- lapply(parts, function(x) tightest(function(ctl) rma(yi, vi, data=x, method=method, control=ctl)))
  est <- sapply(fits, function(f) as.numeric(f$b)); se <- sapply(fits, function(f) f$se)
  between <- rma(est, sei=se, method="FE")
  shared <- tightest(function(ctl) rma(yi, vi, mods=as.formula(paste("~ factor(", by, ")")), data=d, method=method, control=ctl))
  groups[[name]] <<- list(data=list(effect=as.numeric(d$yi), variance=as.numeric(d$vi), group=as.character(d[[by]])), method=method, names=names(parts), estimate=num(est), se=num(se), tau2=num(sapply(fits, function(f) f$tau2)), q_between=num(between$QE), q_between_p_value=num(between$QEp), q_between_common=num(shared$QM), q_between_common_p_value=num(shared$QMp), tau2_common=num(shared$tau2), q_within_common=num(shared$QE))
}
group("bcg_allocation_REML", bcg, "alloc", "REML"); group("bcg_allocation_EE", bcg, "alloc", "EE"); group("bcg_allocation_DL", bcg, "alloc", "DL"); group("hackshaw1998_design_DL", hac, "design", "DL"); group("raudenbush1985_setting_PM", rau, "setting", "PM")
write_json(list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), metadat=as.character(packageVersion("metadat"))),
  regressions=regressions, no_intercept=no_intercept, diagnostics=diagnostics, permutations=permutations, subgroups=groups), "metafor_moderators.json", digits=NA, auto_unbox=TRUE, na="null")
