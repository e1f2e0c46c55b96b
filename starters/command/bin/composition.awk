# Reads FASTA; writes sample, name, length and the share of G and C of every sequence that is long enough.

function finish() {
  if (name != "" && length(bases) >= shortest) {
    strong = gsub(/[GCgc]/, "", copy)
    printf "%s\t%s\t%d\t%.3f\n", sample, name, length(bases), strong / length(bases)
  }
}

/^>/ {
  finish()
  name = substr($1, 2)
  bases = ""
  copy = ""
  next
}

{
  bases = bases $0
  copy = copy $0
}

END { finish() }
