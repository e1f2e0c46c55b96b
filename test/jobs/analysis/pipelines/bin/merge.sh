# Adds up counts of several tables, and leaves out what is rarer than the first word says.
min="$1"
shift
cat "$@" | awk -F '\t' -v min="$min" '{ n[$1] += $2 } END { for (w in n) if (n[w] >= min) print w "\t" n[w] }' | sort
