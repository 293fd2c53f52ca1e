# The IL-7 model under mrgsolve or rxode2: il7_ode.txt is the text of both, with their own words put in.
#   Rscript by_r.R PACKAGE FOLDER TOLERANCE TURNS
# FOLDER holds patients.csv (a row a patient: ID, parameters, init_A0 ...), records.csv (ID, time, evid, amt, cmt; looks
# before doses at the same time) and scales.csv. Writes seen.csv (a row a look: states, in the order of the records) and
# prints the seconds of each turn, R's start and the model's compilation apart.
given <- commandArgs(trailingOnly = TRUE)
package <- given[1]; folder <- given[2]; tolerance <- as.numeric(given[3]); turns <- as.integer(given[4])
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
suppressPackageStartupMessages(library(package, character.only = TRUE))
patients <- read.csv(file.path(folder, "patients.csv"))
records <- read.csv(file.path(folder, "records.csv"))
ode <- readLines(file.path(here, "il7_ode.txt"))
states <- c("A0", "A1", "A2", "r4", "r8", "E1", "E2", "Z", "B", "H", "Q4", "P4", "Q8", "P8", "BC", "NK")
parameters <- setdiff(names(patients), "ID")
scales <- read.csv(file.path(folder, "scales.csv"))$scale

if (package == "mrgsolve") {
  text <- c(
    "$PARAM", paste(parameters, "= 0"), paste("$CMT", paste(states, collapse = " ")),
    "$MAIN", paste0(states, "_0 = init_", states, ";"),
    "$ODE", gsub("TIME_DAY", "SOLVERTIME", ode, fixed = TRUE)
  )
  # One absolute tolerance for all states: the smallest, as mrgsolve takes a vector only in later versions.
  model <- mcode("il7", paste(text, collapse = "\n"), rtol = tolerance, atol = tolerance * min(scales), quiet = TRUE)
  model <- update(model, maxsteps = 100000)
  solve <- function() mrgsim_df(data_set(idata_set(model, patients), records), obsonly = TRUE)
} else {
  ode <- gsub("^double ", "", ode)
  ode <- gsub("^dxdt_(\\w+) =", "d/dt(\\1) =", ode)
  ode <- gsub("fmax(", "max(", gsub("fmin(", "min(", ode, fixed = TRUE), fixed = TRUE)
  model <- rxode2(paste(c(paste0(states, "(0) = init_", states, ";"), gsub("TIME_DAY", "t", ode)), collapse = "\n"))
  names(records)[names(records) == "ID"] <- "id"
  names(patients)[names(patients) == "ID"] <- "id"
  solve <- function() {
    as.data.frame(rxSolve(
      model, params = patients, events = records, method = "liblsoda", cores = 1L, rtol = tolerance,
      atol = tolerance * scales, maxsteps = 100000L, returnType = "data.frame", addDosing = FALSE
    ))
  }
}
seen <- solve() # once before the clock
for (turn in seq_len(turns)) {
  began <- proc.time()
  seen <- solve()
  cat("seconds", (proc.time() - began)[["elapsed"]], "\n")
}
write.csv(format(seen[states], digits = 17), file.path(folder, "seen.csv"), row.names = FALSE, quote = FALSE)
