#!/bin/bash
# Counts the k-mers of a FASTA file on standard input: k-mer, tab, how often; sorted. Programs of bash alone, so that it runs anywhere.
set -eu

k=$1
declare -A times=()
while IFS= read -r line; do
  case $line in ">"*) continue ;; esac
  for ((at = 0; at + k <= ${#line}; at++)); do
    kmer=${line:at:k}
    times[$kmer]=$((${times[$kmer]:-0} + 1))
  done
done
for kmer in "${!times[@]}"; do printf '%s\t%s\n' "$kmer" "${times[$kmer]}"; done | sort
