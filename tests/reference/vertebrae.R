# A small cohort turned into its vertebrae in R, and the rates fitted there. Writes vertebrae.json.
suppressMessages({library(survival); library(jsonlite)})
options(digits = 17)
set.seed(77); n <- 150; L <- c(paste0("T", 1:12), paste0("L", 1:5)); at <- 4:17
p <- data.frame(id = 1:n, treatment = sample(c("KP", "VP", "NSM"), n, TRUE), end = ceiling(runif(n, 40, 900)), age = round(rnorm(n, 75, 7)))
p$death <- ifelse(runif(n) < .25, ceiling(runif(n, 20, 800)), NA)
lv <- do.call(rbind, lapply(1:n, function(i) { k <- sample(1:2, 1, prob = c(.7, .3)); a <- sort(sample(2:17, k))
  data.frame(id = i, place = a, treated = p$treatment[i] != "NSM" & (seq_len(k) == 1 | runif(k) < .6), leakage = sample(c("none", "disc", "venous"), k, TRUE),
    cement = round(runif(k, 2, 8), 1), pre = round(runif(k, 8, 25)), post = round(runif(k, 2, 12))) }))
fr <- do.call(rbind, lapply(1:n, function(i) { k <- rpois(1, .8); if (k == 0) NULL else data.frame(id = i, place = pmin(17, pmax(1, sample(lv$place[lv$id == i], k, TRUE) + sample(c(-4:-1, 1:4), k, TRUE, c(1, 1, 2, 4, 4, 2, 1, 1)))), day = ceiling(runif(k, 1, 900))) }))
rows <- do.call(rbind, lapply(1:n, function(i) { v <- lv[lv$id == i, ]; ref <- if (any(v$treated)) v[v$treated, ] else v
  stop_at <- min(p$end[i], p$death[i], na.rm = TRUE)
  do.call(rbind, lapply(setdiff(at, v$place), function(j) { away <- abs(ref$place - j); near <- ref[away == min(away), ]
    f <- fr$day[fr$id == i & fr$place == j & fr$day <= stop_at]; hit <- length(f) > 0
    data.frame(id = i, level = L[j], distance = min(away), leak = max(near$leakage == "disc"), cement = max(near$cement), kyph = max(near$pre - near$post),
      time = if (hit) min(f) else stop_at, event = as.integer(hit), region = if (j <= 9) "a" else if (j <= 14) "b" else "c", treatment = p$treatment[i], age = p$age[i]) })) }))
cuts <- c(90, 365)
s <- survSplit(Surv(time, event) ~ ., data = transform(rows, row = 1:nrow(rows)), cut = cuts, episode = "k")
s$len <- s$time - s$tstart; s$k <- factor(s$k); s$d <- factor(pmin(s$distance, 4), c(4, 1, 2, 3)); s$treatment <- factor(s$treatment, c("NSM", "KP", "VP"))
fit <- function(f) { m <- glm(update(f, event ~ 0 + k + . + offset(log(len))), poisson, s, control = glm.control(epsilon = 1e-15, maxit = 100))
  X <- model.matrix(m); B <- solve(crossprod(X, X * fitted(m))); r <- rowsum(X * (s$event - fitted(m)), s$id)
  list(names = names(coef(m)), beta = unname(coef(m)), robust = unname(sqrt(diag(B %*% crossprod(r) %*% B)))) }
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))), people = p, levels = transform(lv, level = L[place]), fractures = transform(fr, level = L[place]),
  n_rows = nrow(rows), n_events = sum(rows$event), cuts = cuts, simple = fit(~ d + region), full = fit(~ d + region + leak + cement + kyph + treatment + age),
  classes = fit(~ d + I(cement >= 4 & cement < 6) + I(cement >= 6)),
  rates = aggregate(cbind(event, time) ~ level + pmin(distance, 4), transform(rows, time = time / 365.25), sum))
names(out$rates) <- c("level", "distance", "events", "years")
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "vertebrae.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null"), path)
