#!/bin/sh
# Replaces the version of every action in the workflows by the hash of the commit that its tag names now, and the tag of every base image in
# the workflows and the Dockerfile by its digest; version and tag stay beside it. A tag can be moved by whoever takes over its repository, a
# hash cannot. Look at the diff before committing it. An image that has a digest gets today's: its tag's base is mended from time to time.
# pin.sh --check changes nothing, and fails where something is not pinned: nothing is deployed that a moved tag could have changed.
set -eu
mode=${1:-}
[ "$mode" != --check ] || shift
cd "${1:-$(dirname "$0")/..}"
actions() {
  grep -ho 'uses: [A-Za-z0-9][^ ]*@v[0-9][^ ]*$' .github/workflows/*.yml | sort -u
}
# What is built on, and what tests run in: NAME:TAG, or NAME:TAG@sha256:… once it is pinned.
images() {
  { sed -n 's/^ARG BASE=//p' Dockerfile; sed -n 's/^ *image: //p' .github/workflows/*.yml; } | sort -u
}
# Every action but those of this repository, whatever stands behind it: a branch, a short hash or quotes are no pin.
unpinned() {
  grep -h '^ *\(- \)\{0,1\}uses:' .github/workflows/*.yml | sed 's/^ *\(- \)\{0,1\}uses: *//' | grep -v '^\./' |
    grep -v '^[A-Za-z0-9][^ "]*@[0-9a-f]\{40\} # v[0-9][^ ]*$' | sort -u || :
}
if [ "$mode" = --check ]; then
  open=$({ unpinned; images | grep -v '@sha256:[0-9a-f]\{64\}$' || :; } | tr '\n' ' ')
  [ -z "$open" ] || { echo "pin.sh: not pinned: ${open% }. Run .github/pin.sh, look at the diff and commit it" >&2; exit 1; }
  exit 0
fi
actions | while read -r _ action; do
  name=${action%@*}
  version=${action#*@}
  repository=$(echo "$name" | cut -d/ -f1-2)
  # An annotated tag is listed twice; the line with ^{} has the commit and sorts last.
  hash=$(git ls-remote "https://github.com/$repository" "refs/tags/$version" "refs/tags/$version^{}" | sort -k 2 | tail -n 1 | cut -f 1)
  expr "x$hash" : 'x[0-9a-f]\{40\}$' >/dev/null || { echo "pin.sh: $repository has no tag $version" >&2; exit 1; }
  sed -i "s|uses: $name@$version\$|uses: $name@$hash # $version|" .github/workflows/*.yml
  echo "pin.sh: $name $version is $hash"
done
images | while read -r image; do
  tag=${image%@*}
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$tag") || exit 1
  expr "x$digest" : 'xsha256:[0-9a-f]\{64\}$' >/dev/null || { echo "pin.sh: $tag has no digest" >&2; exit 1; }
  [ "$image" != "$tag@$digest" ] || continue
  sed -i "s|^ARG BASE=$image\$|ARG BASE=$tag@$digest|" Dockerfile
  sed -i "s|^\( *image: \)$image\$|\1$tag@$digest|" .github/workflows/*.yml
  echo "pin.sh: $tag is $digest"
done
