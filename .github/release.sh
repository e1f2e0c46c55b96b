#!/bin/sh
# Says whether the tag that TAG names may go to production: it lies on main, and package.json and the changelog have its version.
set -eu
cd "${1:-$(dirname "$0")/..}"
: "${TAG:?release.sh: set TAG to the name of a tag}"
refuse() {
  echo "release.sh: $TAG is not released: $1" >&2
  exit 1
}
expr "x$TAG" : 'xv[0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*$' >/dev/null || refuse "a release is called vX.Y.Z"
version=${TAG#v}
written=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
[ "$written" = "$version" ] || refuse "package.json has version $written"
awk -v version="$version" '$1 == "##" && $2 == version { found = 1 } END { exit !found }' CHANGELOG.md ||
  refuse "CHANGELOG.md has no heading \"## $version\""
commit=$(git rev-parse --verify --quiet "refs/tags/$TAG^{commit}") || refuse "there is no such tag here"
git merge-base --is-ancestor "$commit" refs/remotes/origin/main || refuse "its commit is not on main"
echo "release.sh: $TAG may be released"
