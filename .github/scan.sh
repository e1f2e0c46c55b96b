#!/bin/sh
# Says what the registry's scan of the image REPOSITORY:TAG found, and fails where something is critical.
# scan.sh waits for the scan that a push starts; scan.sh --again starts another.
set -eu
: "${REPOSITORY:?scan.sh: set REPOSITORY}" "${TAG:?scan.sh: set TAG}"
# Between two looks at a scan, and how many there are: a scan is done within a few minutes.
pause=${SCAN_PAUSE_SECONDS:-10}
looks=${SCAN_LOOKS:-60}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ask() {
  aws ecr "$@" --repository-name "$REPOSITORY" --image-id "imageTag=$TAG"
}
findings() {
  ask describe-image-scan-findings --query "$1" --output text 2>"$log"
}

if [ "${1:-}" = --again ] && ! ask start-image-scan >/dev/null 2>"$log"; then
  # An image is scanned once in 24 hours at most; what the last scan found is as good then.
  grep -q LimitExceededException "$log" || { cat "$log" >&2; exit 1; }
fi
status=""
while [ "$status" != COMPLETE ]; do
  if ! status=$(findings imageScanStatus.status); then
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
    *) echo "scan.sh: $REPOSITORY:$TAG was not scanned: $status" >&2; exit 1 ;;
  esac
done
count() {
  found=$(findings "imageScanFindings.findingSeverityCounts.$1") || { cat "$log" >&2; exit 1; }
  # The service leaves out a severity that nothing has.
  [ "$found" = None ] && echo 0 || echo "$found"
}
critical=$(count CRITICAL)
high=$(count HIGH)
echo "scan.sh: $REPOSITORY:$TAG has $critical critical and $high high findings"
[ "$critical" = 0 ] || { echo "scan.sh: see them with: aws ecr describe-image-scan-findings --repository-name $REPOSITORY --image-id imageTag=$TAG" >&2; exit 1; }
