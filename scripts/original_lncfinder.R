# LncFinder with its own trained model, without secondary structure.
# Usage: Rscript original_lncfinder.R <input FASTA> <output TSV> <model: human, mouse or wheat> <threads>
arguments <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages(library(LncFinder))

sequences <- seqinr::read.fasta(arguments[1], seqtype = "DNA", forceDNAtolower = TRUE)
result <- lnc_finder(
  sequences,
  SS.features = FALSE,
  format = "DNA",
  frequencies.file = arguments[3],
  svm.model = arguments[3],
  parallel.cores = as.integer(arguments[4])
)
write.table(
  data.frame(id = rownames(result), result),
  arguments[2],
  sep = "\t", quote = FALSE, row.names = FALSE
)
