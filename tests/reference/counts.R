# Pins pooled counts: metafor (rma.mh, rma.peto, rma.glmm), lme4::glmer with a tight optimiser, mantelhaen.test,
# and, where no package is at hand, the likelihood itself maximised by nlminb.
# Run from tests/reference: Rscript counts.R
suppressMessages({library(metafor); library(lme4); library(numDeriv); library(jsonlite)})

two <- function(study, a, n1, c, n2) data.frame(study=as.character(study), events_t=as.numeric(a), n_t=as.numeric(n1), events_c=as.numeric(c), n_c=as.numeric(n2))
rate <- function(study, a, t1, c, t2) data.frame(study=as.character(study), events_t=a, time_t=t1, events_c=c, time_c=t2)
b <- dat.bcg; h <- dat.hine1989; n7 <- dat.nielweise2007; n8 <- dat.nielweise2008; ha <- dat.hart1999
y <- dat.yusuf1985; y <- y[y$table == "6" & !is.na(y$ai + y$n1i + y$ci + y$n2i), ]
co <- dat.collins1985a; co <- co[!is.na(co$b.xti + co$b.xci), ]
p <- dat.pritz1997
sparse <- two(1:5, c(0,1,0,3,0), c(50,100,80,120,60), c(2,3,0,5,1), c(52,98,82,119,61))
sets <- list(
  bcg=two(b$trial, b$tpos, b$tpos+b$tneg, b$cpos, b$cpos+b$cneg),
  hine1989=two(h$study, h$ai, h$n1i, h$ci, h$n2i),
  nielweise2007=two(n7$study, n7$ai, n7$n1i, n7$ci, n7$n2i),
  yusuf1985_table6=two(seq_len(nrow(y)), y$ai, y$n1i, y$ci, y$n2i),
  collins1985a=two(seq_len(nrow(co)), co$b.xti, co$nti, co$b.xci, co$nci),
  sparse=sparse,
  all_events=two(1:4, c(12,9,20,7), c(12,15,20,16), c(14,11,20,5), c(14,14,21,15)))
no_event_t <- two(1:3, c(0,0,0), c(40,55,28), c(3,1,2), c(41,50,30))
sets$bcg_k1 <- sets$bcg[1,]; sets$bcg_k2 <- sets$bcg[1:2,]; sets$bcg_k3 <- sets$bcg[4:6,]
rates <- list(nielweise2008=rate(n8$study, n8$x1i, n8$t1i, n8$x2i, n8$t2i),
              hart1999=rate(ha$trial, ha$x1i, ha$t1i, ha$x2i, ha$t2i),
              zero_rates=rate(1:4, c(0,2,0,5), c(100,250,80,310), c(3,4,0,9), c(120,240,90,300)))
one <- list(pritz1997=data.frame(study=as.character(p$study), events=p$xi, n=p$ni),
            nielweise2007_control=data.frame(study=as.character(n7$study), events=n7$ci, n=n7$n2i),
            sparse_treatment=data.frame(study=sparse$study, events=sparse$events_t, n=sparse$n_t))

num <- function(x) if (is.null(x) || length(x) == 0) NA else unname(as.numeric(x)[1])
main <- function(r) list(estimate=num(r$beta), se=num(r$se), q=num(r$QE), i2_pct=num(r$I2), h2=num(r$H2), k_q=num(r$k.yi))
quiet <- function(e) suppressWarnings(suppressMessages(tryCatch(e, error=function(x) NULL)))
mh <- function(d, m) { r <- quiet(if (m %in% c("IRR","IRD"))
    rma.mh(measure=m, x1i=events_t, t1i=time_t, x2i=events_c, t2i=time_c, data=d) else
    rma.mh(measure=m, ai=events_t, n1i=n_t, ci=events_c, n2i=n_c, data=d))
  c(main(r), list(cmh=num(r$MH), breslow_day=num(r$BD), tarone=num(r$TA))) }

informative <- function(d) with(d, !(events_t + events_c == 0 | (if ("n_t" %in% names(d)) events_t == n_t & events_c == n_c else FALSE)))
long <- function(d) { k <- nrow(d); size <- if ("n_t" %in% names(d)) c(d$n_t, d$n_c) else c(d$time_t, d$time_c)
  data.frame(study=factor(rep(seq_len(k), 2)), x=c(d$events_t, d$events_c), n=size, g=rep(c(.5,-.5), each=k)) }
tight <- glmerControl(optimizer="bobyqa", optCtrl=list(rhobeg=0.2, rhoend=1e-10, maxfun=1e7), check.conv.grad="ignore", check.conv.singular="ignore", check.conv.hess="ignore")
direct_fs <- function(d, q) { d <- d[informative(d),]; L <- long(d); f <- quiet(if ("n_t" %in% names(d))
    glmer(cbind(x, n - x) ~ -1 + study + g + (g - 1 | study), data=L, family=binomial, nAGQ=q, control=tight) else
    glmer(x ~ -1 + study + g + (g - 1 | study) + offset(log(n)), data=L, family=poisson, nAGQ=q, control=tight))
  if (is.null(f)) return(NULL)
  list(estimate=unname(fixef(f)["g"]), se=sqrt(as.matrix(vcov(f))["g","g"]), tau2=num(VarCorr(f)$study)) }
glmm <- function(d, m, model, q=7) { r <- quiet(if (m == "IRR")
    rma.glmm(measure=m, x1i=events_t, t1i=time_t, x2i=events_c, t2i=time_c, data=d, model=model, nAGQ=q) else if (m == "PLO")
    rma.glmm(measure=m, xi=events, ni=n, data=d, nAGQ=q) else
    rma.glmm(measure=m, ai=events_t, n1i=n_t, ci=events_c, n2i=n_c, data=d, model=model, nAGQ=q))
  if (is.null(r)) return(NULL)
  list(estimate=num(r$beta), se=num(r$se), tau2=num(r$tau2), q_lrt=num(r$QE.LRT), q_wald=num(r$QE.Wld), q_df=num(r$QE.df), i2_pct=num(r$I2), h2=num(r$H2), k=num(r$k), sigma2=num(r$sigma2)) }

# one normal effect per study integrated out with integrate(); ll(i, delta) is the log-likelihood of study i
marginal <- function(k, ll) function(theta, tau) sum(sapply(seq_len(k), function(i) {
  if (tau < 1e-6) return(ll(i, theta))
  peak <- optimize(function(b) ll(i, theta + tau*b) - b^2/2, c(-8, 8), maximum=TRUE, tol=1e-10)
  g <- function(b) exp(sapply(b, function(z) ll(i, theta + tau*z) - z^2/2) - peak$objective)
  log(integrate(g, peak$maximum - 9, peak$maximum + 9, rel.tol=1e-11, subdivisions=500L)$value) + peak$objective - log(2*pi)/2 }))
maximum <- function(f, start) {
  o <- nlminb(c(start, 0.5), function(p) -f(p[1], p[2]), lower=c(-Inf, 0), control=list(rel.tol=1e-13, x.tol=1e-10))
  if (o$par[2] < 1e-4) { e <- optimize(function(t) f(t, 0), start + c(-3, 3), maximum=TRUE, tol=1e-12)
    return(list(estimate=e$maximum, se=1/sqrt(-num(hessian(function(t) f(t, 0), e$maximum))), tau2=0)) }
  g <- function(p) -f(p[1], p[2])
  for (i in 1:3) o$par <- o$par - drop(solve(hessian(g, o$par), grad(g, o$par)))
  H <- hessian(g, o$par)
  list(estimate=o$par[1], se=sqrt(solve(H)[1,1]), tau2=o$par[2]^2) }
direct_el <- function(d) { d <- d[informative(d),]
  sup <- lapply(seq_len(nrow(d)), function(i) { m <- d$events_t[i] + d$events_c[i]
    j <- max(0, m - d$n_c[i]):min(d$n_t[i], m); list(j=j - d$events_t[i], w=lchoose(d$n_t[i], j) + lchoose(d$n_c[i], m - j)) })
  ll <- function(i, x) { s <- sup[[i]]; v <- s$w + s$j*x; s$w[s$j == 0] - (max(v) + log(sum(exp(v - max(v))))) }
  maximum(marginal(nrow(d), ll), -0.5) }
direct_binomial <- function(x, n, off, start) maximum(marginal(length(x), function(i, t) dbinom(x[i], n[i], plogis(t + off[i]), log=TRUE)), start)

beta_binomial <- function(x, n, X) { q <- ncol(X); part <- function(p, z, g) lgamma(p/g + z) - lgamma(p/g)
  f <- function(p) { m <- plogis(drop(X %*% p[1:q])); g <- exp(p[q+1]); -sum(part(m, x, g) + part(1 - m, n - x, g) - part(1, n, g)) }
  start <- c(coef(glm(cbind(x, n - x) ~ X - 1, family=binomial)), log(0.02))
  o <- nlminb(start, f, control=list(rel.tol=1e-15, x.tol=1e-12, eval.max=5000, iter.max=5000))
  if (exp(o$par[q+1]) < 1e-5) { e <- glm(cbind(x, n - x) ~ X - 1, family=binomial, control=list(epsilon=1e-14)); return(list(coef=unname(coef(e)), vcov=unname(vcov(e)), rho=0)) }
  for (i in 1:3) o$par <- o$par - drop(solve(hessian(f, o$par), grad(f, o$par)))
  list(coef=unname(o$par[1:q]), vcov=unname(solve(hessian(f, o$par))[1:q,1:q,drop=FALSE]), rho=num(exp(o$par[q+1])/(1 + exp(o$par[q+1])))) }
bb2 <- function(d) beta_binomial(c(d$events_t, d$events_c), c(d$n_t, d$n_c), cbind(rep(1:0, each=nrow(d)), rep(0:1, each=nrow(d))))

direct_laplace <- function(d) { d <- d[informative(d),]
  f <- function(p) -sum(sapply(seq_len(nrow(d)), function(i) { a <- d$events_t[i]; n1 <- d$n_t[i]; c <- d$events_c[i]; n2 <- d$n_c[i]
    z1 <- c(p[3], p[4]/2); z2 <- c(p[3], -p[4]/2); u <- c(0, 0)
    for (it in 1:100) { e1 <- p[1] + p[2]/2 + sum(z1*u); e2 <- p[1] - p[2]/2 + sum(z2*u); p1 <- plogis(e1); p2 <- plogis(e2)
      H <- n1*p1*(1-p1)*outer(z1, z1) + n2*p2*(1-p2)*outer(z2, z2) + diag(2)
      st <- solve(H, (a - n1*p1)*z1 + (c - n2*p2)*z2 - u); st <- st/max(1, max(abs(st))); u <- u + st; if (max(abs(st)) < 1e-13) break }
    a*e1 - n1*log1p(exp(e1)) + c*e2 - n2*log1p(exp(e2)) - sum(u^2)/2 - log(det(H))/2 }))
  o <- nlminb(c(log(sum(d$events_c)/sum(d$n_c)), -0.5, 1, 0.5), f, control=list(rel.tol=1e-15, x.tol=1e-12))
  for (i in 1:2) o$par <- o$par - drop(solve(hessian(f, o$par), grad(f, o$par)))
  list(estimate=o$par[2], se=sqrt(solve(hessian(f, o$par))[2,2]), tau2=o$par[4]^2, sigma2=o$par[3]^2) }

firth <- function(d) { d <- d[informative(d),]; k <- nrow(d); X <- cbind(rbind(diag(k), diag(k)), rep(1:0, each=k))
  x <- c(d$events_t, d$events_c); n <- c(d$n_t, d$n_c)
  f <- function(b) { e <- drop(X %*% b); p <- plogis(e)
    -(sum(x*e - n*(pmax(e, 0) + log1p(exp(-abs(e))))) + as.numeric(determinant(crossprod(X, n*p*(1-p)*X))$modulus)/2) }
  o <- nlminb(c(qlogis((d$events_t + d$events_c + .5)/(d$n_t + d$n_c + 1)), 0), f, control=list(rel.tol=1e-15, x.tol=1e-12, eval.max=1e4, iter.max=1e4))
  for (i in 1:2) o$par <- o$par - drop(solve(hessian(f, o$par), grad(f, o$par)))
  p <- plogis(drop(X %*% o$par))
  list(estimate=o$par[k+1], se=sqrt(solve(crossprod(X, n*p*(1-p)*X))[k+1,k+1])) }

glmm_sets <- c("bcg","hine1989","nielweise2007","yusuf1985_table6","collins1985a","sparse","bcg_k2","bcg_k3")
out <- list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor")), lme4=as.character(packageVersion("lme4"))), two_by_two=list(), rates=list(), one_arm=list())
for (s in names(sets)) { d <- sets[[s]]; r <- list(data=d)
  for (m in c("OR","RR","RD")) r$mantel_haenszel[[m]] <- mh(d, m)
  pt <- quiet(rma.peto(ai=events_t, n1i=n_t, ci=events_c, n2i=n_c, data=d)); r$peto <- main(pt)
  e <- d[informative(d),]
  if (nrow(e) > 1) { A <- array(rbind(e$events_t, e$n_t - e$events_t, e$events_c, e$n_c - e$events_c), c(2, 2, nrow(e)))
    t1 <- mantelhaen.test(A); t2 <- mantelhaen.test(A, correct=FALSE); t3 <- quiet(mantelhaen.test(A, exact=TRUE))
    r$mantelhaen <- list(odds_ratio=num(t1$estimate), statistic=num(t1$statistic), uncorrected=num(t2$statistic), conditional_odds_ratio=num(t3$estimate)) }
  if (s %in% glmm_sets) { for (q in c("UM.FS","CM.AL")) { r$glmm[[q]] <- glmm(d, "OR", q); r$glmm_25[[q]] <- glmm(d, "OR", q, 25) }
    r$glmm[["UM.RS"]] <- glmm(d, "OR", "UM.RS")
    r$glmer <- list(points_7=direct_fs(d, 7), points_25=direct_fs(d, 25))
    if (s %in% c("bcg", "collins1985a", "bcg_k3")) r$direct_laplace <- direct_laplace(d)
    r$direct_exact <- direct_el(d)
    r$direct_approximate <- with(e, direct_binomial(events_t, events_t + events_c, log(n_t/n_c), -0.5)) }
  if (nrow(d) > 2) r$beta_binomial <- bb2(d)
  r$firth <- firth(d)
  out$two_by_two[[s]] <- r; cat(s, "\n") }
for (s in names(rates)) { d <- rates[[s]]; e <- d[informative(d),]
  out$rates[[s]] <- list(data=d, mantel_haenszel=list(IRR=mh(d, "IRR"), IRD=mh(d, "IRD")),
    glmm=list("UM.FS"=glmm(d, "IRR", "UM.FS"), "CM.EL"=glmm(d, "IRR", "CM.EL"), "UM.RS"=glmm(d, "IRR", "UM.RS")),
    glmer=list(points_7=direct_fs(d, 7), points_25=direct_fs(d, 25)),
    direct_exact=with(e, direct_binomial(events_t, events_t + events_c, log(time_t/time_c), -0.5))); cat(s, "\n") }
for (s in names(one)) { d <- one[[s]]
  out$one_arm[[s]] <- list(data=d, glmm=glmm(d, "PLO", NULL), direct=direct_binomial(d$events, d$n, rep(0, nrow(d)), -2),
    beta_binomial=beta_binomial(d$events, d$n, cbind(rep(1, nrow(d))))); cat(s, "\n") }
out$firth_no_event_t <- list(data=no_event_t, firth=firth(no_event_t))
write_json(out, "counts.json", digits=NA, auto_unbox=TRUE, na="null", pretty=TRUE)
