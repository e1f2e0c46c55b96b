// The order in which people read ids: runs of digits count as numbers, so that HTA1_2 comes before HTA1_10.

/** Compares two texts in natural order; texts that differ only in leading zeros are ordered by their characters. */
export function compareNatural(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [isNumberA, isNumberB] = [isDigit(a.charCodeAt(i)), isDigit(b.charCodeAt(j))];
    if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
    if (isNumberA) {
      const endA = endOfDigits(a, i);
      const endB = endOfDigits(b, j);
      const order = compareDigits(a, i, endA, b, j, endB);
      if (order !== 0) return order;
      i = endA;
      j = endB;
    } else {
      const order = a.charCodeAt(i) - b.charCodeAt(j);
      if (order !== 0) return order;
      i += 1;
      j += 1;
    }
  }
  const order = a.length - i - (b.length - j);
  return order !== 0 ? order : compareText(a, b);
}

/** Compares two texts by their characters. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

/** Compares digits as numbers of any size. */
function compareDigits(
  a: string,
  i: number,
  endA: number,
  b: string,
  j: number,
  endB: number,
): number {
  while (i < endA && a.charCodeAt(i) === 48) i += 1;
  while (j < endB && b.charCodeAt(j) === 48) j += 1;
  if (endA - i !== endB - j) return endA - i - (endB - j);
  for (; i < endA; i++, j++) {
    const order = a.charCodeAt(i) - b.charCodeAt(j);
    if (order !== 0) return order;
  }
  return 0;
}
