# Piecewise-exponential rates of several units per patient: Poisson, sandwich by patient, gamma frailty. Writes piecewise.json.
suppressMessages({library(survival); library(MASS); library(jsonlite)})
options(digits = 17)
set.seed(12); n <- 120; k <- 6
d <- data.frame(id = rep(1:n, each = k), near = rep(c(1, 1, 2, 2, 3, 3), n), leak = rep(rbinom(n, 1, .4), each = k))
u <- rep(rgamma(n, 1.5, 1.5), each = k); end <- rep(ceiling(runif(n, 30, 700)), each = k)
t <- ceiling(rexp(n * k, .0008 * u * c(3, 1.5, 1)[d$near] * exp(.5 * d$leak)))
d$time <- pmin(t, end); d$event <- as.integer(t <= end)
cuts <- c(90, 365)
s <- survSplit(Surv(time, event) ~ ., data = transform(d, row = 1:nrow(d)), cut = cuts, episode = "k")
s$len <- s$time - s$tstart; s$k <- factor(s$k); s$n1 <- as.numeric(s$near == 1); s$n2 <- as.numeric(s$near == 2)
X <- model.matrix(~ 0 + k + n1 + n2 + leak, s)
f <- glm(event ~ 0 + k + n1 + n2 + leak + offset(log(len)), poisson, s, control = glm.control(epsilon = 1e-15, maxit = 100))
r <- rowsum(X * (s$event - fitted(f)), s$id); B <- solve(crossprod(X, X * fitted(f)))
ll <- function(p) { b <- p[1:6]; nu <- exp(-p[7]); eta <- as.vector(X %*% b); H <- rowsum(s$len * exp(eta), s$id)[, 1]; D <- rowsum(s$event, s$id)[, 1]
  sum(s$event * eta) + sum(lgamma(D + nu) - lgamma(nu) + nu * log(nu) - (D + nu) * log(H + nu)) }
g <- optim(c(coef(f), log(.5)), ll, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 2000), hessian = FALSE)
for (i in 1:5) g <- optim(g$par, ll, method = "BFGS", control = list(fnscale = -1, reltol = 1e-16, maxit = 2000))
V <- solve(-optimHess(g$par, ll, control = list(ndeps = rep(1e-4, 7))))
# One unit per patient: the marginal counts are negative binomial, which MASS::glm.nb fits
one <- data.frame(x = rbinom(400, 1, .5), time = ceiling(runif(400, 50, 500))); one$units <- sample(1:9, 400, TRUE)
one$count <- rnbinom(400, size = 1.4, mu = one$units * one$time * .002 * exp(.6 * one$x))
nb <- glm.nb(count ~ x + offset(log(units * time)), one, control = glm.control(epsilon = 1e-14, maxit = 200))
out <- list(versions = list(R = R.version.string, survival = as.character(packageVersion("survival")), MASS = as.character(packageVersion("MASS"))),
  data = d, cuts = cuts, poisson = list(beta = unname(coef(f)), cov = unname(vcov(f)), robust = unname(B %*% crossprod(r) %*% B)),
  frailty = list(beta = unname(g$par[1:6]), theta = unname(exp(g$par[7])), loglik = g$value, se = unname(sqrt(diag(V)))[1:6], theta_se = unname(exp(g$par[7]) * sqrt(V[7, 7]))),
  counts = one, nb = list(beta = unname(coef(nb)), theta = 1 / nb$theta))
path <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))), "piecewise.json")
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns"), path)
