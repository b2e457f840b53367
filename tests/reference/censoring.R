# Writes censoring.json: weights for staying by glm and weighted least squares by lm on the set of reference_based.json,
# with the sandwich of all stacked estimating equations by hand (Jacobian by central differences).
suppressMessages(library(jsonlite))
d <- as.data.frame(fromJSON("reference_based.json")$data); d$y <- suppressWarnings(as.numeric(d$y))
w <- reshape(d[, c("id", "arm", "baseline", "age", "visit", "y")], idvar = c("id", "arm", "baseline", "age"), timevar = "visit", direction = "wide")
y <- as.matrix(w[, c("y.1", "y.2", "y.3")]); n <- nrow(w); a <- w$arm
seen <- !is.na(y); stay <- t(apply(seen, 1, function(s) rev(cummax(rev(as.integer(s)))))); risk <- cbind(1, stay[, 1:2])
last <- matrix(NA, n, 3); last[, 1] <- w$baseline; for (j in 2:3) last[, j] <- ifelse(seen[, j - 1], y[, j - 1], last[, j - 1])
H <- function(j) cbind(1, j == 2, j == 3, a, w$baseline, w$age, last[, j], a * last[, j])
long <- do.call(rbind, lapply(1:3, function(j) data.frame(H(j), R = stay[, j], risk = risk[, j])))
g <- glm(R ~ 0 + ., data = long[long$risk == 1, names(long) != "risk"], family = binomial, control = glm.control(epsilon = 1e-15, maxit = 100))
share <- sapply(1:3, function(j) sapply(0:1, function(k) mean(stay[risk[, j] == 1 & a == k, j])))
X <- cbind(1, a, w$baseline, w$age); Y <- ifelse(is.na(y[, 3]), 0, y[, 3])
weight <- function(gam, nu, cut = c(Inf, Inf)) { v <- stay[, 3]
  for (j in 1:3) v <- v * nu[cbind(a + 1, j)] / ifelse(risk[, j] == 1, plogis(H(j) %*% gam), 1)
  pmin(v, cut[a + 1]) }
run <- function(q) {
  v <- weight(coef(g), share); s <- stay[, 3] == 1
  cut <- if (q < 1) c(quantile(v[s & a == 0], q), quantile(v[s & a == 1], q)) else c(Inf, Inf)
  v <- pmin(v, cut[a + 1]); f <- lm(Y ~ 0 + X, weights = v, subset = s); beta <- coef(f)
  theta <- c(beta, coef(g), share)
  psi <- function(t) { b <- t[1:4]; gam <- t[5:12]; nu <- matrix(t[13:18], 2)
    u <- weight(gam, nu, cut) * as.vector(Y - X %*% b) * X
    sc <- Reduce(`+`, lapply(1:3, function(j) risk[, j] * as.vector(stay[, j] - plogis(H(j) %*% gam)) * H(j)))
    m <- do.call(cbind, lapply(1:3, function(j) sapply(0:1, function(k) risk[, j] * (a == k) * (stay[, j] - nu[k + 1, j]))))
    cbind(u, sc, m) }
  J <- sapply(seq_along(theta), function(k) { h <- 1e-5 * max(1, abs(theta[k])); e <- replace(numeric(18), k, h)
    (colSums(psi(theta + e)) - colSums(psi(theta - e))) / (2 * h) })
  IF <- psi(theta) %*% t(solve(J)); N <- sum(s)
  list(truncate = q, estimate = beta[[2]], se = sqrt(sum(IF[, 2]^2) * N / (N - 4)), df = N - 4, weights = unname(v[s]), se_naive = summary(f)$coefficients[2, 2]) }
out <- lapply(c(1, .9), run)
write_json(list(R = R.version.string, fits = out), "censoring.json", digits = NA, auto_unbox = TRUE)
for (o in out) print(unlist(o[c("estimate", "se", "df", "se_naive")]), digits = 12); print(summary(out[[1]]$weights))
