# Writes network_arms.json: the arms behind three networks of netmeta_reference.json (package metadat).
# netmeta::pairwise made the contrasts there (0.5 added to every arm of a study with an empty cell).
suppressMessages({library(metadat); library(jsonlite)})
w <- dat.woods2010
d <- dat.dong2013
l <- dat.linde2015
long <- NULL
for (i in 1:3) {
  long <- rbind(long, data.frame(study = l$id, treatment = l[[paste0("treatment", i)]],
    events = l[[paste0("resp", i)]], n = l[[paste0("n", i)]], arm = i, row = seq_len(nrow(l))))
}
long <- long[!is.na(long$treatment) & long$treatment != "", ]
long <- long[order(long$row, long$arm), c("study", "treatment", "events", "n")]
out <- list(
  versions = list(R = R.version$version.string, metadat = as.character(packageVersion("metadat"))),
  woods2010 = data.frame(study = as.character(w$author), treatment = as.character(w$treatment), events = w$r, n = w$N),
  dong2013 = data.frame(study = as.character(d$id), treatment = as.character(d$treatment), events = d$death, n = d$randomized),
  linde2015 = data.frame(study = as.character(long$study), treatment = as.character(long$treatment), events = long$events, n = long$n))
write_json(out, "network_arms.json", digits = NA, na = "null", auto_unbox = TRUE)
