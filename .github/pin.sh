#!/bin/sh
# Replaces the version of every action in the workflows by the hash of the commit that its tag names now; the version stays beside it.
# A tag can be moved by whoever takes over an action's repository, a hash cannot. Look at the diff before committing it.
set -eu
cd "${1:-$(dirname "$0")/workflows}"
grep -ho 'uses: [A-Za-z0-9][^ ]*@v[0-9][^ ]*$' ./*.yml | sort -u | while read -r _ action; do
  name=${action%@*}
  version=${action#*@}
  repository=$(echo "$name" | cut -d/ -f1-2)
  # An annotated tag is listed twice; the line with ^{} has the commit and sorts last.
  hash=$(git ls-remote "https://github.com/$repository" "refs/tags/$version" "refs/tags/$version^{}" | sort -k 2 | tail -n 1 | cut -f 1)
  expr "x$hash" : 'x[0-9a-f]\{40\}$' >/dev/null || { echo "pin.sh: $repository has no tag $version" >&2; exit 1; }
  sed -i "s|uses: $name@$version\$|uses: $name@$hash # $version|" ./*.yml
  echo "pin.sh: $name $version is $hash"
done
