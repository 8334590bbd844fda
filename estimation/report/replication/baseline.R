# Reproduces the coefficient of the baseline regression and its standard errors from panel_pair_year.dta, in base R.
# Run in this folder: Rscript baseline.R

library(foreign)

expected <- read.csv("baseline.csv")
panel <- read.dta("panel_pair_year.dta")
# years run fastest, so every outcome is a matrix of years by pairs
panel <- panel[order(panel$city_i_id, panel$city_j_id, panel$year), ]
years <- sort(unique(panel$year))
stopifnot(nrow(panel) %% length(years) == 0, all(panel$year == rep(years, length.out = nrow(panel))))
first <- panel[panel$year == years[1], ]
# A balanced panel: pair and year effects are out once the means of pair and year are.
demean <- function(values) {
  m <- matrix(values, nrow = length(years))
  m <- sweep(m, 2, colMeans(m))
  sweep(m, 1, rowMeans(m))
}

fit <- function(outcome, keep = rep(TRUE, nrow(first))) {
  rows <- rep(keep, each = length(years))
  y <- demean(panel[[outcome]][rows])
  x <- demean(as.numeric(panel$is_treated[rows]))
  b <- sum(x * y) / sum(x^2)
  list(b = b, psi = colSums(x * (y - b * x)) / sum(x^2), pairs = first[keep, ])
}

found <- data.frame()
for (outcome in unique(expected$outcome)) {
  all <- fit(outcome)
  cities <- sort(unique(c(first$city_i_id, first$city_j_id)))
  score <- sapply(cities, function(city) sum(all$psi[first$city_i_id == city | first$city_j_id == city]))
  provinces <- sort(unique(c(first$province_i_id, first$province_j_id)))
  refits <- sapply(provinces, function(r) {
    keep <- first$province_i_id != r & first$province_j_id != r
    if (any(!is.na(first$cohort_year[keep]))) fit(outcome, keep)$b else NA
  })
  refits <- refits[!is.na(refits)]
  jackknife <- (length(refits) - 1) / length(refits) * sum((refits - all$b)^2)
  dyadic <- sum(score^2) - sum(all$psi^2)
  found <- rbind(found, data.frame(outcome = outcome, vcov = c("conventional", "dyadic", "province_jackknife"), estimate = all$b,
                                   std_error = sqrt(pmax(c(sum(all$psi^2), dyadic, jackknife), 0))))
}

both <- merge(expected, found, by = c("outcome", "vcov"), suffixes = c("_published", "_here"))
print(both, digits = 10, row.names = FALSE)
stopifnot(nrow(both) == nrow(expected), all(abs(both$estimate_published - both$estimate_here) < 1e-9),
          all(is.na(both$std_error_published) | abs(both$std_error_published - both$std_error_here) < 1e-9))
cat("The published coefficients and standard errors are reproduced.\n")
