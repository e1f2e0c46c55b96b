#!/bin/sh
# Sees to it that a PostgreSQL server, Chromium and what reads PDFs are there for the tests: installs them as root, else says how to.
# As root also what the image is built, run and pushed with, and what an example runs; others skip those tests.
set -eu

packages=""
has() { command -v "$1" >/dev/null 2>&1; }
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || has initdb || packages="$packages postgresql"
has chromium || has google-chrome || packages="$packages chromium fonts-liberation"
has pdftotext || packages="$packages poppler-utils"
has git || packages="$packages git"
if [ "$(id -u)" = 0 ]; then
  PATH="$PATH:/usr/sbin:/sbin"
  has dockerd && has docker || packages="$packages docker.io"
  has mmdebstrap && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages="$packages mmdebstrap debian-archive-keyring"
  # What examples/04-align runs; without them, its tests are skipped.
  has bwa && has samtools || packages="$packages bwa samtools"
  has docker-registry || packages="$packages docker-registry"
fi
# The clock of another day (FAKETIME) is asked for by name; as root its own tests want it, too.
if [ "$(id -u)" = 0 ] || [ -n "${FAKETIME:-}" ]; then
  ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || packages="$packages libfaketime"
fi
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && has apt-get; then
  echo "installing$packages"
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of words
  if ! { apt-get update && apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "the tests need$packages, which could not be installed" >&2
    exit 1
  fi
  rm -f "$log"
else
  echo "the tests need$packages; install them first, on Debian: sudo apt-get install$packages" >&2
  exit 1
fi
