#!/bin/bash
# Takes numbers, one a line: writes those that are to cleaned.txt, and others to rejected.txt. A file that says that it was cut off is refused.
set -eu

if [ "$(tail -n 1 "$1")" != "end" ]; then
  echo "the last line is \"$(tail -n 1 "$1")\", not \"end\": the file was cut off" >&2
  exit 1
fi
head -n -1 "$1" | grep -E '^[0-9]+$' > cleaned.txt
head -n -1 "$1" | grep -vE '^[0-9]+$' > rejected.txt || rm rejected.txt
