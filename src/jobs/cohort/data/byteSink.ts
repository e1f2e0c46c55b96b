// Bytes that grow: what is written line by line, and handed on in pieces.

/** A buffer that grows; what was written behind a mark can be taken back. */
export class ByteSink {
  buffer: Buffer;
  length = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /** Copies bytes. */
  bytes(source: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (this.length + size > this.buffer.length) this.grow(size);
    const { buffer } = this;
    let at = this.length;
    // A call costs as much as some fifty bytes.
    if (size > 48) buffer.set(source.subarray(from, to), at);
    else for (let i = from; i < to; i++) buffer[at++] = source[i] as number;
    this.length += size;
  }

  /** Writes text as UTF-8. */
  text(value: string): void {
    const most = value.length * 3;
    if (this.length + most > this.buffer.length) this.grow(most);
    this.length += this.buffer.write(value, this.length);
  }

  /** Writes a number that is whole and not below zero, in decimal. */
  decimal(value: number): void {
    if (this.length + 16 > this.buffer.length) this.grow(16);
    let digits = 1;
    for (let top = 10; top <= value; top *= 10) digits++;
    let at = this.length + digits;
    this.length = at;
    let rest = value;
    do {
      this.buffer[--at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    } while (rest > 0);
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = value;
  }

  /** What was written; it is void when more is. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Begins anew in the same memory: to ask for more of it each time has the collector at work more than anything else. */
  clear(): void {
    this.length = 0;
  }

  /** Begins anew, and keeps no more memory than that. */
  shrink(mostBytes: number): void {
    this.length = 0;
    if (this.buffer.length > mostBytes) this.buffer = Buffer.allocUnsafeSlow(mostBytes);
  }

  private grow(by: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + by));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
