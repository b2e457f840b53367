# Writes metafor_multilevel.json: three-level models (rma.mv, random = ~ 1 | study/effect) and cluster-robust
# variances (metafor::robust, clubSandwich) on public data sets. Run from this folder: Rscript metafor_multilevel.R
suppressMessages({library(metafor); library(metadat); library(clubSandwich); library(jsonlite)})
num <- function(x) if (is.null(x) || length(x) == 0) NA else as.numeric(x)
control <- list(optimizer="BFGS", reltol=1e-16, maxit=10000)
robustly <- function(r, cluster, adjusted) {
  out <- list()
  for (type in c("CR0","CR1","CR1p","CR2")) {
    v <- vcovCR(r, cluster=cluster, type=type); ct <- as.data.frame(coef_test(r, vcov=v, test="Satterthwaite"))
    out[[type]] <- list(vcov=matrix(as.numeric(v), nrow(v)), se=num(ct$SE), df=num(ct[["df_Satt"]] %||% ct[["df"]]))
  }
  p <- robust(r, cluster=cluster, adjust=TRUE); out$metafor_adjusted <- list(se=num(p$se), df=num(p$dfs), p_value=num(p$pval), ci_low=num(p$ci.lb), ci_high=num(p$ci.ub), qm=num(p$QM), qmp=num(p$QMp))
  w <- Wald_test(r, constraints=constrain_zero(seq_len(r$p)), vcov=vcovCR(r, cluster=cluster, type="CR2"), test="HTZ"); out$wald_htz <- list(f=num(w$Fstat), df_num=num(w$df_num), df=num(w$df_denom), p=num(w$p_val))
  out
}
`%||%` <- function(a, b) if (is.null(a)) b else a
uni <- list(); mv <- list()
one <- function(name, d, formula, python, columns, cluster) {
  r <- rma(yi, vi, mods=formula, data=d, method="REML", control=list(threshold=1e-13, maxiter=10000))
  uni[[name]] <<- list(formula=python, cluster=cluster, data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[unique(c(columns, cluster))])), estimate=num(r$b), tau2=num(r$tau2), robust=robustly(r, d[[cluster]]))
}
three <- function(name, d, formula, python, columns, cluster, method, rho=0, profile=FALSE) {
  d$within_id <- seq_len(nrow(d)); d$between_id <- d[[cluster]]
  V <- if (rho == 0) diag(as.numeric(d$vi)) else vcalc(vi, cluster=between_id, obs=within_id, rho=rho, data=d)
  r <- rma.mv(yi, V, mods=formula, random=~1|between_id/within_id, data=d, method=method, control=control, sparse=FALSE)
  p <- predict(r); ci <- if (profile) confint(r, control=list(tol=1e-10)) else NULL
  mv[[name]] <<- list(formula=python, cluster=cluster, method=method, rho=rho, data=c(list(effect=as.numeric(d$yi), variance=as.numeric(d$vi)), as.list(d[unique(c(columns, cluster))])),
    estimate=num(r$b), se=num(r$se), statistic=num(r$zval), p_value=num(r$pval), ci_low=num(r$ci.lb), ci_high=num(r$ci.ub), sigma2=num(r$sigma2), q=num(r$QE), q_p_value=num(r$QEp), q_moderators=num(r$QM), log_likelihood=num(logLik(r)), aic=num(AIC(r)),
    prediction_low=if (r$int.only) num(p$pi.lb) else NA, prediction_high=if (r$int.only) num(p$pi.ub) else NA,
    profile=if (is.null(ci)) NA else list(between=num(ci[[1]]$random[1,2:3]), within=num(ci[[2]]$random[1,2:3])), robust=robustly(r, d$between_id))
}
kon <- as.data.frame(dat.konstantopoulos2011); ass <- as.data.frame(dat.assink2016); ass$paper <- ass$study
bor <- as.data.frame(escalc("OR", ai=waward, n1i=wtotal, ci=maward, n2i=mtotal, data=dat.bornmann2007)); bor$paper <- bor$study
rau <- as.data.frame(dat.raudenbush1985); ban <- as.data.frame(dat.bangertdrowns2004); ban <- ban[complete.cases(ban[c("length","wic")]),]
one("raudenbush1985_authors", rau, ~ weeks, "~ weeks", "weeks", "author"); one("konstantopoulos2011_districts", kon, ~ I(year-1976), "~ I(year - 1976)", "year", "district")
one("bangertdrowns2004_grades", ban, ~ length + wic, "~ length + wic", c("length","wic"), "year"); one("assink2016_papers", ass, ~ year, "~ year", "year", "paper"); one("konstantopoulos2011_mean", kon, ~ 1, "~ 1", character(0), "district")
one("raudenbush1985_single", transform(rau, id=seq_len(nrow(rau))), ~ weeks, "~ weeks", "weeks", "id")
three("konstantopoulos2011_REML", kon, ~ 1, "~ 1", character(0), "district", "REML", profile=TRUE); three("konstantopoulos2011_ML", kon, ~ 1, "~ 1", character(0), "district", "ML")
three("konstantopoulos2011_year", kon, ~ I(year-1976), "~ I(year - 1976)", "year", "district", "REML")
three("assink2016_REML", ass, ~ 1, "~ 1", character(0), "paper", "REML", profile=TRUE); three("assink2016_ML", ass, ~ 1, "~ 1", character(0), "paper", "ML"); three("assink2016_type", ass, ~ deltype, "~ deltype", "deltype", "paper", "REML")
three("assink2016_rho", ass, ~ 1, "~ 1", character(0), "paper", "REML", rho=0.6); three("assink2016_rho_type_ML", ass, ~ deltype, "~ deltype", "deltype", "paper", "ML", rho=0.4)
three("bornmann2007_REML", bor, ~ 1, "~ 1", character(0), "paper", "REML"); three("bornmann2007_type", bor, ~ type, "~ type", "type", "paper", "REML"); three("bangertdrowns2004_zero", ban[1:20,], ~ 1, "~ 1", character(0), "year", "REML")
three("raudenbush1985_boundary", rau, ~ weeks, "~ weeks", "weeks", "author", "REML"); three("konstantopoulos2011_years_ML", kon, ~ 1, "~ 1", character(0), "year", "ML")
write_json(list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), clubSandwich=as.character(packageVersion("clubSandwich")), metadat=as.character(packageVersion("metadat"))), meta_regression=uni, multilevel=mv), "metafor_multilevel.json", digits=NA, auto_unbox=TRUE, na="null")
