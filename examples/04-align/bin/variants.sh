#!/bin/bash
# Lists where nearly all reads differ from the reference in the same way, of what `samtools mpileup` says on standard input.
set -eu

awk -F '\t' -v OFS='\t' '
  $4 >= 8 {
    bases = toupper($5)
    # What begins and ends a read, and what was inserted or deleted behind it.
    gsub(/\^./, "", bases); gsub(/\$/, "", bases)
    while (match(bases, /[+-][0-9]+/)) {
      length_ = substr(bases, RSTART + 1, RLENGTH - 1)
      bases = substr(bases, 1, RSTART - 1) substr(bases, RSTART + RLENGTH + length_)
    }
    split("A C G T", letters, " ")
    for (i = 1; i <= 4; i++) {
      rest = bases
      if (gsub(letters[i], "", rest) >= 0.8 * $4) print $1, $2, toupper($3), letters[i]
    }
  }'
