# The mean distance of all pairs of numbers. It holds every pair, and so needs memory by the square of how many there are.
{ value[NR] = $1 }
END {
  for (i = 1; i <= NR; i++)
    for (j = 1; j < i; j++) {
      d = value[i] - value[j]
      distance[i, j] = d < 0 ? -d : d
      sum += distance[i, j]
    }
  pairs = NR * (NR - 1) / 2
  printf "%d\t%.3f\n", NR, sum / pairs
}
