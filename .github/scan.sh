#!/bin/sh
# Says what the registry's scan of the image REPOSITORY:TAG found, and fails where something is high or critical that acceptedFindings.json
# does not accept: each entry there has a name, a reason, and until when it holds. An entry whose day is over counts for nothing.
# scan.sh waits for the scan that a push starts; scan.sh --again starts another.
set -eu
: "${REPOSITORY:?scan.sh: set REPOSITORY}" "${TAG:?scan.sh: set TAG}"
# Between two looks at a scan, and how many there are: a scan is done within a few minutes.
pause=${SCAN_PAUSE_SECONDS:-10}
looks=${SCAN_LOOKS:-60}
accepted=${SCAN_ACCEPTED:-$(dirname "$0")/acceptedFindings.json}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ask() {
  aws ecr "$@" --repository-name "$REPOSITORY" --image-id "imageTag=$TAG"
}
# Of the first page: as text the CLI would answer once for each page of findings.
facts() {
  ask describe-image-scan-findings --query "$1" --output text --no-paginate 2>"$log"
}

media=$(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$TAG" --query "imageDetails[0].imageManifestMediaType" --output text --no-paginate)
case "$media" in
  *.index.* | *.list.*)
    echo "scan.sh: $REPOSITORY:$TAG is an index of images ($media), which the registry does not scan: remove it there and push what make build_amd64 builds" >&2
    exit 1 ;;
esac
if [ "${1:-}" = --again ] && ! ask start-image-scan >/dev/null 2>"$log"; then
  # An image is scanned once in 24 hours at most; what the last scan found is as good then.
  grep -q LimitExceededException "$log" || { cat "$log" >&2; exit 1; }
fi
status=""
while [ "$status" != COMPLETE ]; do
  if ! status=$(facts imageScanStatus.status); then
    # Just after a push its scan is not known yet.
    grep -q ScanNotFoundException "$log" || { cat "$log" >&2; exit 1; }
    status="not begun"
  fi
  case "$status" in
    COMPLETE) ;;
    IN_PROGRESS | PENDING | "not begun")
      looks=$((looks - 1))
      [ "$looks" -gt 0 ] || { echo "scan.sh: the scan of $REPOSITORY:$TAG did not end; it is: $status" >&2; exit 1; }
      sleep "$pause" ;;
    *) echo "scan.sh: $REPOSITORY:$TAG was not scanned: $status ($(facts imageScanStatus.description))" >&2; exit 1 ;;
  esac
done
count() {
  found=$(facts "imageScanFindings.findingSeverityCounts.$1") || { cat "$log" >&2; exit 1; }
  # The service leaves out a severity that nothing has.
  [ "$found" = None ] && echo 0 || echo "$found"
}
critical=$(count CRITICAL)
high=$(count HIGH)
echo "scan.sh: $REPOSITORY:$TAG has $critical critical and $high high findings"
[ "$((critical + high))" != 0 ] || exit 0
names=$(ask describe-image-scan-findings --query "imageScanFindings.findings[?severity=='CRITICAL' || severity=='HIGH'].[name, severity]" --output json)
FOUND="$((critical + high))" NAMES="$names" ACCEPTED="$accepted" TODAY="$(date -u +%Y-%m-%d)" node --input-type=module --eval '
  import { readFileSync } from "node:fs";
  const { FOUND, NAMES, ACCEPTED, TODAY } = process.env;
  const entries = JSON.parse(readFileSync(ACCEPTED, "utf8"));
  const found = new Map(JSON.parse(NAMES).map(([name, severity]) => [name, severity.toLowerCase()]));
  const stateOf = ([name, severity]) => {
    const { reason, until } = entries.find((entry) => entry.name === name) ?? {};
    if (until === undefined) return { isOpen: true, text: severity };
    if (!reason || !/^\d{4}-\d\d-\d\d$/.test(until)) return { isOpen: true, text: `${severity}; what accepts it lacks a reason or a date` };
    if (TODAY > until) return { isOpen: true, text: `${severity}; it was accepted until ${until}` };
    return { isOpen: false, text: `accepted until ${until}: ${reason}` };
  };
  for (const one of found) console.log(`scan.sh: ${one[0]} is ${stateOf(one).text}`);
  // A finding that is counted and not listed is accepted by nobody.
  const isOpen = JSON.parse(NAMES).length < Number(FOUND) || [...found].some((one) => stateOf(one).isOpen);
  process.exitCode = isOpen ? 1 : 0;
' || { echo "scan.sh: see them with: aws ecr describe-image-scan-findings --repository-name $REPOSITORY --image-id imageTag=$TAG" >&2; exit 1; }
