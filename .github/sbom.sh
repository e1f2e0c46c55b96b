#!/bin/sh
# Hands sbom.cdx.json, which make sbom has written, to the job that may write to the repository: sbom.sh pack says its digest to GitHub;
# sbom.sh attach takes it only with that digest (SHA256) and attaches it, with a file of the digest, to the GitHub release of TAG. Where
# there is no release it is made, with what the changelog says. What is attached already has to be the same: a second try does no more.
set -eu
cd "${2:-$(dirname "$0")/..}"
list=sbom.cdx.json
refuse() {
  echo "sbom.sh: nothing is attached: $1" >&2
  exit 1
}
case "${1:-}" in
  pack)
    : "${GITHUB_OUTPUT:?sbom.sh: set GITHUB_OUTPUT to the file that GitHub reads outputs from}"
    [ -s "$list" ] || refuse "there is no $list"
    echo "sha256=$(sha256sum "$list" | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT" ;;
  attach)
    : "${TAG:?sbom.sh: set TAG to the name of a tag}" "${SHA256:?sbom.sh: set SHA256 to what the packing job said}"
    [ -f "$list" ] || refuse "there is no $list"
    got=$(sha256sum "$list" | cut -d ' ' -f 1)
    [ "$got" = "$SHA256" ] || refuse "$list has the digest $got and not $SHA256"
    sha256sum "$list" > "$list.sha256"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if attached=$(gh release view "$TAG" --json assets --jq '.assets[].name' 2>"$work/log"); then
      for file in "$list" "$list.sha256"; do
        if echo "$attached" | grep -Fxq -e "$file"; then
          gh release download "$TAG" --pattern "$file" --dir "$work"
          cmp -s "$file" "$work/$file" || refuse "$TAG has another $file"
        else
          gh release upload "$TAG" "$file"
        fi
      done
    else
      # Whatever else is wrong, another release does not mend it.
      grep -q 'release not found' "$work/log" || { cat "$work/log" >&2; exit 1; }
      awk -v version="${TAG#v}" '$1 == "##" { isOurs = $2 == version; next } isOurs' CHANGELOG.md > "$work/notes"
      gh release create "$TAG" --verify-tag --title "hdash ${TAG#v}" --notes-file "$work/notes" "$list" "$list.sha256"
    fi
    echo "sbom.sh: $TAG has $list and $list.sha256" ;;
  *) echo "sbom.sh: pack or attach?" >&2; exit 2 ;;
esac
