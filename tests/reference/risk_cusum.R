# Writes risk_cusum.json: the risk-adjusted CUSUM of Steiner et al. 2000 on invented patients, written out.
# Scores and path by the formulas; run lengths by a dense chain on a lattice six times finer than the package's,
# and by simulation of 40,000 series of patients drawn from the risks.
library(jsonlite)
set.seed(7)
n <- 300; R <- 2
risk <- round(plogis(rnorm(n, -3, 0.9)), 4)
event <- rbinom(n, 1, ifelse(seq_len(n) > 180, R * risk / (1 - risk + R * risk), risk))
w <- ifelse(event == 1, log(R / (1 - risk + R * risk)), -log(1 - risk + R * risk))
h <- 2.5; path <- numeric(n); signal <- integer(0); s <- 0
for (i in 1:n) { s <- max(0, s + w[i]); path[i] <- s; if (s >= h) { signal <- c(signal, i); s <- 0 } }
step <- 1 / 800; states <- round(h / step)
arl <- function(true) {
  value <- c(log(R / (1 - risk + R * risk)), -log(1 - risk + R * risk)) / step; share <- c(true, 1 - true) / n
  lo <- floor(value); up <- value - lo
  m <- tapply(c(share * (1 - up), share * up), c(lo, lo + 1), sum); k <- as.integer(names(m))
  Q <- matrix(0, states, states)
  for (j in seq_along(k)) { to <- pmax(0:(states - 1) + k[j], 0); ok <- to < states
    at <- cbind(which(ok), to[ok] + 1); Q[at] <- Q[at] + m[j] }
  solve(diag(states) - Q, rep(1, states))[1] }
shifted <- R * risk / (1 - risk + R * risk)
hits <- function(true, series, most) { s <- numeric(series); t <- rep(NA, series)   # drawn patients, exact scores
  for (i in 1:most) { live <- is.na(t); if (!any(live)) break
    j <- sample.int(n, sum(live), TRUE); e <- runif(sum(live)) < true[j]
    s[live] <- pmax(0, s[live] + ifelse(e, log(R / (1 - risk[j] + R * risk[j])), -log(1 - risk[j] + R * risk[j])))
    t[live][s[live] >= h] <- i }
  t }
sim <- hits(shifted, 40000, 20000)
order <- hits2 <- NULL
s <- numeric(200000); gone <- logical(200000)
for (i in 1:n) { e <- runif(200000) < risk[i]; s <- pmax(0, s + ifelse(e, log(R / (1 - risk[i] + R * risk[i])), -log(1 - risk[i] + R * risk[i]))); gone <- gone | s >= h }
out <- list(R = R.version.string, odds_ratio = R, limit = h, risk = risk, event = event, path = path, signal = signal,
  vlad = cumsum(risk - event), run_length = arl(risk), run_length_shifted = arl(shifted),
  simulated_shifted = list(mean = mean(sim), se = sd(sim) / sqrt(length(sim))),
  simulated_alarm = list(share = mean(gone), se = sqrt(mean(gone) * (1 - mean(gone)) / 200000)))
write_json(out, "risk_cusum.json", digits = NA, auto_unbox = TRUE)
str(out)
