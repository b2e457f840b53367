# Writes revman_algebra.json: pooled results by RevMan 5's published formulae, written out in base R
# (Deeks and Higgins 2010), on invented tables with and without zero cells; metafor where it computes the same.
suppressMessages({library(metafor); library(jsonlite)})
z <- qnorm(0.975)
cells <- function(d) list(a=d$e1, b=d$n1-d$e1, c=d$e2, d=d$n2-d$e2)
plus <- function(x, add) lapply(x, function(v) v + add)
anyzero <- function(x) x$a==0 | x$b==0 | x$c==0 | x$d==0
study <- function(d, m) {
  x <- cells(d); y <- plus(x, ifelse(anyzero(x), 0.5, 0)); n1 <- y$a+y$b; n2 <- y$c+y$d
  if (m=="OR") list(y=log(y$a*y$d/(y$b*y$c)), v=1/y$a+1/y$b+1/y$c+1/y$d)
  else if (m=="RR") list(y=log((y$a/n1)/(y$c/n2)), v=1/y$a+1/y$c-1/n1-1/n2)
  else list(y=d$e1/d$n1-d$e2/d$n2, v=y$a*y$b/n1^3+y$c*y$d/n2^3)
}
mh <- function(d, m) {
  if (m != "RD") d <- d[!(d$e1==0 & d$e2==0), ]
  x <- cells(d); y <- if (m=="RD") x else plus(x, ifelse(anyzero(x), 0.5, 0))
  n1 <- y$a+y$b; n2 <- y$c+y$d; N <- n1+n2
  if (m=="OR") { R <- y$a*y$d/N; S <- y$b*y$c/N; P <- (y$a+y$d)/N; Q <- (y$b+y$c)/N
    est <- log(sum(R)/sum(S)); se <- sqrt(sum(P*R)/(2*sum(R)^2) + sum(P*S+Q*R)/(2*sum(R)*sum(S)) + sum(Q*S)/(2*sum(S)^2)) }
  if (m=="RR") { R <- y$a*n2/N; S <- y$c*n1/N; est <- log(sum(R)/sum(S)); se <- sqrt(sum((n1*n2*(y$a+y$c)-y$a*y$c*N)/N^2)/(sum(R)*sum(S))) }
  if (m=="RD") { w <- n1*n2/N; est <- sum(w*(x$a/n1-x$c/n2))/sum(w); u <- plus(x, ifelse(anyzero(x), 0.5, 0)); m1 <- u$a+u$b; m2 <- u$c+u$d
    se <- sqrt(sum((u$a*u$b*m2^3+u$c*u$d*m1^3)/(m1*m2*(m1+m2)^2))/sum(w)^2); if (nrow(d)==1) se <- sqrt(study(d,"RD")$v) }
  s <- study(d, m); w <- 1/s$v; q <- sum(w*(s$y-est)^2); df <- nrow(d)-1
  tau2 <- if (df>0) max(0, (q-df)/(sum(w)-sum(w^2)/sum(w))) else 0
  wr <- 1/(s$v+tau2); er <- sum(wr*s$y)/sum(wr); sr <- sqrt(1/sum(wr))
  list(common=c(est,se,0,q), random=c(er,sr,tau2,q), k=nrow(d))
}
iv <- function(y, v) { w <- 1/v; e <- sum(w*y)/sum(w); q <- sum(w*(y-e)^2); df <- length(y)-1; tau2 <- if (df>0) max(0,(q-df)/(sum(w)-sum(w^2)/sum(w))) else 0
  wr <- 1/(v+tau2); list(common=c(e,sqrt(1/sum(w)),0,q), random=c(sum(wr*y)/sum(wr), sqrt(1/sum(wr)), tau2, q), k=length(y)) }
smd <- function(d) { N <- d$n1+d$n2; s <- sqrt(((d$n1-1)*d$s1^2+(d$n2-1)*d$s2^2)/(N-2)); g <- (d$m1-d$m2)/s*(1-3/(4*N-9)); list(y=g, v=N/(d$n1*d$n2)+g^2/(2*(N-3.94))) }
md <- function(d) list(y=d$m1-d$m2, v=d$s1^2/d$n1+d$s2^2/d$n2)
peto <- function(d) { d <- d[!((d$e1==0&d$e2==0)|(d$e1==d$n1&d$e2==d$n2)),]; N <- d$n1+d$n2; m <- d$e1+d$e2; o <- d$e1-d$n1*m/N; V <- d$n1*d$n2*m*(N-m)/(N^2*(N-1)); e <- sum(o)/sum(V); list(common=c(e, 1/sqrt(sum(V)), 0, sum(o^2/V)-sum(o)^2/sum(V)), k=nrow(d)) }
plain <- data.frame(e1=c(3,7,12,5,20), n1=c(40,52,60,51,133), e2=c(9,12,19,4,31), n2=c(41,50,62,49,130))
zeros <- data.frame(e1=c(0,1,0,3,0,12), n1=c(50,100,80,120,60,61), e2=c(2,3,0,5,1,9), n2=c(52,98,82,119,61,60))
means <- data.frame(m1=c(3.1,2.8,4.0,2.2,3.3), s1=c(1.9,2.1,2.4,1.7,2.0), n1=c(40,55,32,61,48), m2=c(4.2,3.1,4.9,3.9,3.8), s2=c(2.2,2.0,2.6,1.9,2.1), n2=c(41,50,35,60,52))
generic <- data.frame(y=c(-0.35,-0.10,0.22,-0.51), se=c(0.15,0.21,0.30,0.18)); oe <- data.frame(o=c(-4.2,-1.1,2.3,-6.7), v=c(12.5,8.1,9.9,20.3))
out <- list(versions=list(R=R.version.string, metafor=as.character(packageVersion("metafor"))), tables=list(plain=plain, zeros=zeros, one=zeros[1,], means=means, generic=generic, oe=oe), results=list())
add <- function(name, r) out$results[[name]] <<- r
for (m in c("OR","RR","RD")) for (t in c("plain","zeros","one")) { d <- out$tables[[t]]; add(paste("counts", t, m, "MH", sep="."), mh(d, m))
  dd <- if (m=="RD") d else d[!(d$e1==0&d$e2==0),]; s <- study(dd, m); add(paste("counts", t, m, "IV", sep="."), iv(s$y, s$v)) }
for (t in c("plain","zeros")) add(paste("counts", t, "PETO", "PETO", sep="."), peto(out$tables[[t]]))
s <- md(means); add("means.means.MD.IV", iv(s$y, s$v)); s <- smd(means); add("means.means.SMD.IV", iv(s$y, s$v)); add("effects.generic.HR.IV", iv(generic$y, generic$se^2))
add("o_minus_e.oe.PETO.PETO", list(common=c(sum(oe$o)/sum(oe$v), 1/sqrt(sum(oe$v)), 0, sum(oe$o^2/oe$v)-sum(oe$o)^2/sum(oe$v)), k=4))
for (m in c("OR","RR")) { r <- rma.mh(ai=e1, n1i=n1, ci=e2, n2i=n2, data=plain, measure=m); stopifnot(abs(r$b - out$results[[paste0("counts.plain.",m,".MH")]]$common[1]) < 1e-12, abs(r$se - out$results[[paste0("counts.plain.",m,".MH")]]$common[2]) < 1e-12, abs(r$QE - out$results[[paste0("counts.plain.",m,".MH")]]$common[4]) < 1e-9) }
r <- rma.peto(ai=e1, n1i=n1, ci=e2, n2i=n2, data=plain); stopifnot(abs(r$b - out$results$counts.plain.PETO.PETO$common[1]) < 1e-12, abs(r$QE - out$results$counts.plain.PETO.PETO$common[4]) < 1e-9)
write_json(out, "revman_algebra.json", digits=NA, auto_unbox=TRUE, na="null")
