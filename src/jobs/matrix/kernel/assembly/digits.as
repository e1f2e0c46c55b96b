// Digits, blanks and numbers in text, eight bytes at a time where that is worth it.

/** Reads what is rare: a number with too many digits for plain arithmetic. NaN where it is none. */
@external("host", "number")
declare function hostNumber(at: u32, length: u32): f64;

/** Reads eight digits, the first in the lowest byte; lower places that are not used must be zero bytes. */
@inline
export function eightDigits(digits: u64): u32 {
  const pairs = digits * 10 + (digits >> 8);
  return <u32>(
    (((pairs & 0x000000ff000000ff) * 0x000f424000000064 +
      ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
      32)
  );
}

/** Marks, by the high bit of its byte, the first blank of eight bytes (later marks may be wrong). */
@inline
export function blanks(word: u64): u64 {
  const zero = word ^ 0x2020202020202020;
  return (zero - 0x0101010101010101) & ~zero & 0x8080808080808080;
}

@inline
export function notDigits(digits: u64): bool {
  return ((digits | (digits + 0x7676767676767676)) & 0x8080808080808080) != 0;
}

@inline
export function isBlank(byte: u8): bool {
  return byte == 32 || byte == 9;
}

/** Reads a whole number above 0; 0 where it is none or does not fit. */
export function index(at: u32, to: u32): u32 {
  let p = at;
  if (p < to && load<u8>(p) == 43) p++;
  if (p == to) return 0;
  let value: u64 = 0;
  for (; p < to; p++) {
    const digit = <u32>load<u8>(p) - 48;
    if (digit > 9) return 0;
    value = value * 10 + digit;
    if (value > 0xffffffff) return 0;
  }
  return <u32>value;
}

/** Reads a decimal number, exactly rounded; NaN where it is none. */
export function decimal(at: u32, to: u32): f64 {
  let p = at;
  let isNegative = false;
  const sign = load<u8>(p);
  if (sign == 43 || sign == 45) {
    isNegative = sign == 45;
    p++;
  }
  let mantissa: u64 = 0;
  let exponent: i32 = 0;
  /** Zeros behind the point that count only if another digit follows. */
  let pending: i32 = 0;
  let digits: u32 = 0;
  for (; p < to; p++) {
    const digit = <u32>load<u8>(p) - 48;
    if (digit > 9) break;
    digits++;
    mantissa = mantissa * 10 + digit;
    if (mantissa >= 9007199254740992) return hostNumber(at, to - at);
  }
  if (p < to && load<u8>(p) == 46) {
    p++;
    for (; p < to; p++) {
      const digit = <u32>load<u8>(p) - 48;
      if (digit > 9) break;
      digits++;
      if (digit == 0) {
        pending++;
        continue;
      }
      exponent -= pending + 1;
      for (; pending > 0; pending--) {
        mantissa *= 10;
        if (mantissa >= 9007199254740992) return hostNumber(at, to - at);
      }
      mantissa = mantissa * 10 + digit;
      if (mantissa >= 9007199254740992) return hostNumber(at, to - at);
    }
  }
  if (digits == 0) return hostNumber(at, to - at);
  if (p < to) {
    if ((load<u8>(p) | 32) != 101) return hostNumber(at, to - at);
    p++;
    let isDown = false;
    if (p < to && (load<u8>(p) == 43 || load<u8>(p) == 45)) {
      isDown = load<u8>(p) == 45;
      p++;
    }
    if (p == to || to - p > 4) return hostNumber(at, to - at);
    let power: i32 = 0;
    for (; p < to; p++) {
      const digit = <u32>load<u8>(p) - 48;
      if (digit > 9) return NaN;
      power = power * 10 + <i32>digit;
    }
    exponent += isDown ? -power : power;
  }
  // Up to 10^22 is exact, so one multiplication or division of exact numbers is rounded once.
  if (exponent < -22 || exponent > 22) {
    if (mantissa != 0) return hostNumber(at, to - at);
    exponent = 0;
  }
  let scale: f64 = 1;
  for (let i = abs(exponent); i > 0; i--) scale *= 10;
  const value = exponent < 0 ? <f64>mantissa / scale : <f64>mantissa * scale;
  return isNegative ? -value : value;
}
