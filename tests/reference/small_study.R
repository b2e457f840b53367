# Writes small_study.json: regtest, ranktest, trimfill and selmodel of metafor on public data sets, both signs,
# and lm() of base R for the tests on two-by-two tables. Run from this folder: Rscript small_study.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})
tight <- function(m) if (m %in% c("DL", "EE")) list() else list(threshold=1e-12, maxiter=10000)
num <- function(x) if (is.null(x) || length(x) == 0) NA else as.numeric(x)[1]
bcg <- escalc("RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
egg <- escalc("OR", ai=ai, n1i=n1i, ci=ci, n2i=n2i, data=dat.egger2001)
nor <- escalc("SMD", m1i=m1i, sd1i=sd1i, n1i=n1i, m2i=m2i, sd2i=sd2i, n2i=n2i, data=dat.normand1999)
sets <- list(bcg_rr=bcg, hackshaw1998=dat.hackshaw1998, raudenbush1985=dat.raudenbush1985, egger2001_or=egg,
  bangertdrowns2004=dat.bangertdrowns2004, konstantopoulos2011=dat.konstantopoulos2011, normand1999_smd=nor)
regression <- function(y, v, m) { x <- rma(y, v, method=m, control=tight(m))
  r <- regtest(x, ret.fit=TRUE); f <- r$fit
  list(method=m, statistic=num(r$zval), p_value=num(r$pval), bias=num(f$beta[2]), bias_se=num(f$se[2]), limit=num(r$est), limit_ci_low=num(r$ci.lb), limit_ci_high=num(r$ci.ub)) }
fill <- function(y, v, m, e) { x <- rma(y, v, method=m, control=tight(m)); t <- try(suppressWarnings(trimfill(x, estimator=e)), silent=TRUE)
  if (inherits(t, "try-error")) return(list(method=m, estimator=e, defined=FALSE))
  # trimfill refits with the default threshold; the same steps once more with a tight one
  s <- if (t$side == "right") -1 else 1; o <- order(s*y); n <- length(y); keep <- o[seq_len(n - t$k0)]; gone <- setdiff(o, keep)
  centre <- num(rma(y[keep], v[keep], method=m, control=tight(m))$b)
  r <- rma(c(y, 2*centre - y[gone]), c(v, v[gone]), method=m, control=tight(m))
  list(method=m, estimator=e, defined=TRUE, k_added=num(t$k0), k_added_se=num(t$se.k0), side=t$side, given=num(t$b), estimate=num(r$b), se=num(r$se), ci_low=num(r$ci.lb), ci_high=num(r$ci.ub), tau2=num(r$tau2)) }
select <- function(y, v, a) { x <- rma(y, v, method="ML", control=tight("ML"))
  s <- try(suppressWarnings(selmodel(x, type="stepfun", steps=0.025, alternative=a, control=list(optimizer="optim", optmethod="Nelder-Mead", maxit=50000, reltol=1e-15))), silent=TRUE)
  if (inherits(s, "try-error")) return(list(alternative=a, defined=FALSE))
  list(alternative=a, defined=TRUE, estimate=num(s$b), se=num(s$se), tau2=num(s$tau2), weight=num(s$delta[2]), weight_se=num(s$se.delta[2]), lrt=num(s$LRT), lrt_p_value=num(s$LRTp), n_significant=num(s$ptable$k[1])) }
out <- list()
for (name in names(sets)) for (sign in c(1, -1)) {
  y <- sign*as.numeric(sets[[name]]$yi); v <- as.numeric(sets[[name]]$vi); ok <- !is.na(y) & !is.na(v); y <- y[ok]; v <- v[ok]
  l <- regtest(y, v, model="lm", ret.fit=TRUE); co <- summary(l$fit)$coefficients
  pe <- summary(lm(y ~ v, weights=1/v))$coefficients
  k <- suppressWarnings(ranktest(y, v))
  fills <- list(); for (m in c("DL", "REML", "EE")) for (e in c("L0", "R0", "Q0")) fills[[length(fills)+1]] <- fill(y, v, m, e)
  out[[paste0(name, if (sign < 0) "_swapped" else "")]] <- list(effect=y, variance=v,
    egger=list(statistic=num(l$zval), p_value=num(l$pval), df=num(l$dfs), bias=co[2,1], bias_se=co[2,2], limit=num(l$est), limit_se=co[1,2], limit_ci_low=num(l$ci.lb), limit_ci_high=num(l$ci.ub)),
    peese=list(limit=pe[1,1], limit_se=pe[1,2], bias=pe[2,1], statistic=pe[1,3], p_value=pe[1,4]),
    regressions=lapply(c("DL", "REML", "ML"), function(m) regression(y, v, m)),
    begg=list(statistic=num(k$tau), p_value=num(k$pval)), fills=fills, selections=lapply(c("greater", "less"), function(a) select(y, v, a))) }
# Tests on the arms, by lm() from the formulas of Harbord, Peters, Macaskill and Deeks.
arms <- function(a, n1, c, n2) { a <- as.numeric(a); n1 <- as.numeric(n1); c <- as.numeric(c); n2 <- as.numeric(n2); e <- escalc("OR", ai=a, n1i=n1, ci=c, n2i=n2); y <- as.numeric(e$yi); n <- n1 + n2; m <- a + c
  z <- a - n1*m/n; V <- n1*n2*m*(n - m)/(n^2*(n - 1)); w <- 1/(1/m + 1/(n - m)); ess <- 4*n1*n2/n
  one <- function(f, bias, limit) { s <- summary(f)$coefficients; list(bias=s[bias,1], bias_se=s[bias,2], statistic=s[bias,3], p_value=s[bias,4], limit=s[limit,1]) }
  list(events_t=a, n_t=n1, events_c=c, n_c=n2, harbord=one(lm(I(z/sqrt(V)) ~ sqrt(V)), 1, 2), peters=one(lm(y ~ I(1/n), weights=w), 2, 1),
    macaskill=one(lm(y ~ n, weights=w), 2, 1), deeks=one(lm(y ~ I(1/sqrt(ess)), weights=ess), 2, 1)) }
b <- dat.bcg; g <- dat.egger2001; c5 <- dat.collins1985b; nls <- dat.nielweise2007
tables <- list(bcg=arms(b$tpos, b$tpos + b$tneg, b$cpos, b$cpos + b$cneg), egger2001=arms(g$ai, g$n1i, g$ci, g$n2i),
  collins1985=arms(c5$pre.xti, c5$pre.nti, c5$pre.xci, c5$pre.nci), nielweise2007=arms(nls$ai, nls$n1i, nls$ci, nls$n2i))
write_json(list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), metadat=as.character(packageVersion("metadat"))), sets=out, tables=tables), "small_study.json", digits=NA, auto_unbox=TRUE, na="null")
