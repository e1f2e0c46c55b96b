#!/bin/bash
# Adds up tables of counts, and leaves out what is rarer than the first word says.
set -eu

min=$1
shift
declare -A times=()
while IFS=$'\t' read -r kmer count; do
  times[$kmer]=$((${times[$kmer]:-0} + count))
done < <(cat "$@")
for kmer in "${!times[@]}"; do
  [ "${times[$kmer]}" -lt "$min" ] || printf '%s\t%s\n' "$kmer" "${times[$kmer]}"
done | sort
