// The order of text, the same in all that hdash writes and asks of DuckDB.

/** Compares by code points, as UTF-8 does: the units of JavaScript's strings put some of the last before others. */
export function byText(a: string, b: string): number {
  const size = Math.min(a.length, b.length);
  for (let at = 0; at < size; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    // Halves of surrogate pairs stand for code points above all that a single unit holds.
    return left >= 0xd800 && right >= 0xd800 ? lift(left) - lift(right) : left - right;
  }
  return a.length - b.length;
}

function lift(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
