# Writes trial_shapes.json: three invented randomised pain trials as authors publish them, analysed by lm, by nlme::gls
# (REML, unstructured); differences by visit are contrasts of coef and vcov.
# wide: treatment 0/1, sex 0/1, scores 0 to 100, two follow-ups. long: text arms, site strata, baseline as the row of visit 0,
# missed visits absent, character identifiers. weeks: a column of weeks, arms T and C, a scale where more is better.
suppressMessages({library(nlme); library(jsonlite)})
line <- function(f, k) { ci <- confint(f)[k, ]; list(estimate = unname(coef(f)[k]), se = sqrt(vcov(f)[k, k]), df = f$df.residual, low = ci[[1]], high = ci[[2]]) }
# Kenward & Roger 1997, section 2, patient by patient: Phi + 2 Phi (sum W_ij (Q_ij - P_i Phi P_j - R_ij / 4)) Phi. Parameters are the
# logarithms of the diagonal of F and the rows of F over it, Sigma = F F', F lower triangular; derivatives by central differences,
# W the inverse of the negative second derivative of the restricted log likelihood.
kenward_roger <- function(g, f, d) { n_v <- nlevels(d$v); X <- model.matrix(f, d); y <- model.response(model.frame(f, d)); who <- split(seq_len(nrow(d)), d$id)
  full <- which(sapply(corMatrix(g$modelStruct$corStruct), nrow) == n_v)[1]
  sds <- g$sigma * coef(g$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels(d$v)]
  S <- diag(sds) %*% corMatrix(g$modelStruct$corStruct)[[full]] %*% diag(sds)
  F <- t(chol(S)); G <- F / diag(F); below <- lower.tri(G); start <- c(log(diag(F)), G[below]); q <- length(start)
  sigma <- function(p) { G <- diag(n_v); G[below] <- p[-seq_len(n_v)]; tcrossprod(exp(p[seq_len(n_v)]) * G) }
  stopifnot(max(abs(sigma(start) - S)) < 1e-10)
  restricted <- function(p) { S <- sigma(p); A <- 0; r <- 0; yy <- 0; l <- 0
    for (i in who) { k <- d$j[i]; V <- solve(S[k, k, drop = FALSE]); A <- A + t(X[i, , drop = FALSE]) %*% V %*% X[i, , drop = FALSE]
      r <- r + t(X[i, , drop = FALSE]) %*% V %*% y[i]; yy <- yy + c(t(y[i]) %*% V %*% y[i]); l <- l - log(det(V)) }
    -(l + log(det(A)) + yy - c(t(r) %*% solve(A, r))) / 2 }
  one <- function(i, h) { e <- numeric(q); e[i] <- h; e }
  two <- function(fun, h) { out <- vector("list", q * q)
    for (i in seq_len(q)) for (j in seq_len(q)) { a <- one(i, h); b <- one(j, h)
      out[[(i - 1) * q + j]] <- (fun(start + a + b) - fun(start + a - b) - fun(start - a + b) + fun(start - a - b)) / (4 * h^2) }
    out }
  slope <- lapply(seq_len(q), function(i) (sigma(start + one(i, 1e-5)) - sigma(start - one(i, 1e-5))) / 2e-5)
  bend <- two(sigma, 1e-3); W <- solve(-matrix(unlist(two(restricted, 1e-3)), q))
  A <- 0; P <- rep(list(0), q); Q <- rep(list(0), q * q); R <- Q
  for (i in who) { k <- d$j[i]; x <- X[i, , drop = FALSE]; V <- solve(S[k, k, drop = FALSE]); A <- A + t(x) %*% V %*% x
    D <- lapply(slope, function(m) V %*% m[k, k] %*% V)
    for (a in seq_len(q)) { P[[a]] <- P[[a]] - t(x) %*% D[[a]] %*% x
      for (b in seq_len(q)) { n <- (a - 1) * q + b; Q[[n]] <- Q[[n]] + t(x) %*% D[[a]] %*% S[k, k] %*% D[[b]] %*% x
        R[[n]] <- R[[n]] + t(x) %*% V %*% bend[[n]][k, k] %*% V %*% x } } }
  Phi <- solve(A); inner <- 0
  for (a in seq_len(q)) for (b in seq_len(q)) { n <- (a - 1) * q + b
    inner <- inner + W[a, b] * (Q[[n]] - P[[a]] %*% Phi %*% P[[b]] - R[[n]] / 4) }
  Phi + 2 * Phi %*% inner %*% Phi }
model <- function(f, d, days) { g <- gls(f, d, correlation = corSymm(form = ~ j | id), weights = varIdent(form = ~ 1 | v), method = "REML",
    control = glsControl(tolerance = 1e-12, msTol = 1e-13, maxIter = 500, msMaxIter = 500, opt = "optim"))
  b <- coef(g); V <- vcov(g); K <- kenward_roger(g, f, d); dimnames(K) <- dimnames(V)
  lapply(setNames(days, days), function(w) { k <- paste0("v", w, ":a"); list(estimate = unname(b[k]), se = sqrt(V[k, k]), se_kr = sqrt(K[k, k])) }) }
set.seed(4501)
n <- 150
w <- data.frame(id = 100 + seq_len(n), age = sample(20:75, n, TRUE), sex = rbinom(n, 1, 0.7), migraine = rbinom(n, 1, 0.9),
  chronicity = sample(1:50, n, TRUE), group = rbinom(n, 1, 0.5), pk1 = round(rgamma(n, 4, 0.15), 2))
own <- rnorm(n, 0, 6)
w$pk2 <- round(pmax(0, 2 + 0.75 * w$pk1 - 3 * w$group + own + rnorm(n, 0, 5)), 2)
w$pk5 <- round(pmax(0, 3 + 0.65 * w$pk1 - 5 * w$group - 2 * w$sex + own + rnorm(n, 0, 6)), 2)
w$pk2[runif(n) < 0.08] <- NA; w$pk5[runif(n) < 0.2] <- NA
a <- lm(pk5 ~ group + pk1 + age + sex + migraine + chronicity, w)
r <- data.frame(id = rep(w$id, 2), a = rep(w$group, 2), v = factor(rep(c(91, 365), each = n)), y = c(w$pk2, w$pk5), b = rep(w$pk1, 2), age = rep(w$age, 2), sex = rep(w$sex, 2))
r <- r[!is.na(r$y), ]; r$j <- as.integer(r$v)
wide <- list(data = w, ancova = line(a, "group"), mmrm = model(y ~ 0 + v + v:a + v:b + age + sex, r, c(91, 365)))
n <- 130
p <- data.frame(SUBJID = sprintf("%02d-%03d", rep(1:5, length.out = n), seq_len(n)), SITE = rep(1:5, length.out = n), TRT = sample(rep(c("Placebo injection", "Active injection"), length.out = n)))
base <- round(rnorm(n, 7, 1.2), 1); base <- pmin(10, base); own <- rnorm(n, 0, 1)
l <- do.call(rbind, lapply(0:3, function(k) data.frame(p, VISIT = c("Baseline", "Week 4", "Week 12", "Month 6")[k + 1], k = k,
  SCORE = if (k == 0) base else round(pmin(10, pmax(0, 1 + 0.6 * base - (p$TRT == "Active injection") * c(0.5, 1, 0.8)[k] + c(0, 0.4, -0.3, 0.2, 0)[p$SITE] + own + rnorm(n, 0, 1))), 1))))
l <- l[l$k == 0 | runif(nrow(l)) > 0.12, ]; l <- l[!(l$SUBJID == p$SUBJID[7] & l$k > 1), ]
f <- l[l$k > 0, ]; f$b <- base[match(f$SUBJID, p$SUBJID)]; f$a <- as.numeric(f$TRT == "Active injection"); f$id <- f$SUBJID
days <- c(28, 84, 182); f$v <- factor(days[f$k]); f$j <- as.integer(f$v); f$s <- factor(f$SITE)
long <- list(data = l[, c("SUBJID", "SITE", "TRT", "VISIT", "SCORE")], ancova = line(lm(SCORE ~ a + b + s, f[f$k == 2, ]), "a"), mmrm = model(SCORE ~ 0 + v + v:a + v:b + s, f, days))
n <- 90
q <- data.frame(pat = seq_len(n) + 0.0, arm = sample(c("T", "C"), n, TRUE), stratum = sample(c("low", "high"), n, TRUE))
b <- round(runif(n, 20, 60)); own <- rnorm(n, 0, 8)
m <- do.call(rbind, lapply(c(0, 6, 26), function(k) data.frame(q, week = k, pct = if (k == 0) b else
  round(pmin(100, pmax(0, 15 + 0.7 * b + (q$arm == "T") * ifelse(k == 6, 6, 9) + (q$stratum == "low") * 4 + own + rnorm(n, 0, 9)))))))
m$pct[m$week > 0 & runif(nrow(m)) < 0.1] <- NA
h <- m[m$week > 0 & !is.na(m$pct), ]; h$b <- b[match(h$pat, q$pat)]; h$a <- as.numeric(h$arm == "T"); h$id <- h$pat; h$v <- factor(7 * h$week); h$j <- as.integer(h$v)
weeks <- list(data = m, ancova = line(lm(pct ~ a + b + stratum, h[h$week == 26, ]), "a"), mmrm = model(pct ~ 0 + v + v:a + v:b + stratum, h, 7 * c(6, 26)))
write_json(list(R = R.version.string, nlme = as.character(packageVersion("nlme")), wide = wide, long = long, weeks = weeks), "trial_shapes.json",
  digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null")
