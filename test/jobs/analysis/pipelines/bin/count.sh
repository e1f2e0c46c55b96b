# Counts k-mers of a FASTA-like file on standard input: k-mer, tab, how often; sorted.
grep -v '^>' | awk -v k="$1" '{ for (i = 1; i <= length($0) - k + 1; i++) n[substr($0, i, k)]++ } END { for (w in n) print w "\t" n[w] }' | sort
