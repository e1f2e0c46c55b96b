// Zips written byte by byte, so that each field can be wrong: what no library writes is what readers fall for.

import { crc32, deflateRawSync } from "node:zlib";

export interface HandMember {
  readonly name: string | Uint8Array;
  readonly content?: Uint8Array;
  /** The packed bytes, where they are not to be those of the content. */
  readonly packed?: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc32?: number;
  readonly bytes?: number;
  readonly compressedBytes?: number;
  readonly offset?: number;
  readonly localName?: string;
  readonly localMethod?: number;
  readonly localFlags?: number;
  readonly localSignature?: number;
  readonly localExtra?: Uint8Array;
  readonly extra?: Uint8Array;
  readonly memberComment?: string;
  /** Sizes stand behind the data, as streaming writers put them, with or without a signature. */
  readonly descriptor?: "signed" | "bare";
  /** Sizes and offset stand in the 64-bit extra field. */
  readonly isWide?: boolean;
  /** Bytes that lie before the local header and belong to nobody. */
  readonly padding?: number;
}

export interface HandZip {
  readonly comment?: Uint8Array;
  readonly prefix?: Uint8Array;
  readonly suffix?: Uint8Array;
  readonly isWide?: boolean;
  readonly members?: number;
  readonly disk?: number;
  readonly directoryBytes?: number;
  readonly directoryOffset?: number;
  /** Bytes between the 64-bit record and its locator. */
  readonly recordGap?: number;
}

/** Numbers, each with its width in bytes, little end first. */
export function numbers(...fields: readonly (readonly [value: number, width: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([value, width]) => {
      const buffer = Buffer.alloc(width);
      if (width === 8) buffer.writeBigUInt64LE(BigInt(value));
      else buffer.writeUIntLE(value, 0, width);
      return buffer;
    }),
  );
}

/** Writes an archive, with whatever is to be wrong about it. */
export function handZip(members: readonly HandMember[], zip: HandZip = {}): Buffer {
  const body: Uint8Array[] = [zip.prefix ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let at = body[0]?.length ?? 0;
  const add = (bytes: Uint8Array): void => {
    body.push(bytes);
    at += bytes.length;
  };
  for (const member of members) {
    add(Buffer.alloc(member.padding ?? 0));
    const made = writeMember(member, at);
    made.local.forEach(add);
    directory.push(made.central);
  }
  const directoryOffset = zip.directoryOffset ?? at;
  const central = Buffer.concat(directory);
  const directoryBytes = zip.directoryBytes ?? central.length;
  const count = zip.members ?? members.length;
  add(central);
  if (zip.isWide) {
    const record = at;
    const disk = zip.disk ?? 0;
    add(numbers([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [disk, 4], [0, 4]));
    add(numbers([count, 8], [count, 8], [directoryBytes, 8], [directoryOffset, 8]));
    add(Buffer.alloc(zip.recordGap ?? 0));
    add(numbers([0x07064b50, 4], [0, 4], [record, 8], [1, 4]));
  }
  const comment = zip.comment ?? Buffer.alloc(0);
  const [count16, max] = zip.isWide ? [0xffff, 0xffffffff] : [count & 0xffff, null];
  add(numbers([0x06054b50, 4], [zip.isWide ? 0 : (zip.disk ?? 0), 2], [0, 2]));
  add(numbers([count16, 2], [count16, 2]));
  add(numbers([max ?? directoryBytes, 4], [max ?? directoryOffset, 4], [comment.length, 2]));
  add(comment);
  add(zip.suffix ?? Buffer.alloc(0));
  return Buffer.concat(body);
}

function writeMember(
  member: HandMember,
  at: number,
): { readonly local: readonly Uint8Array[]; readonly central: Buffer } {
  const content = member.content ?? Buffer.alloc(0);
  const method = member.method ?? 8;
  const packed = member.packed ?? (method === 8 ? deflateRawSync(content) : content);
  const name = Buffer.from(member.name);
  const localName = member.localName === undefined ? name : Buffer.from(member.localName);
  const flags = (member.flags ?? 0) | (member.descriptor === undefined ? 0 : 8);
  const crc = member.crc32 ?? crc32(content);
  const bytes = member.bytes ?? content.length;
  const packedBytes = member.compressedBytes ?? packed.length;
  const offset = member.offset ?? at;
  const wide = (...values: readonly number[]): Buffer =>
    member.isWide
      ? numbers([1, 2], [values.length * 8, 2], ...values.map((v) => [v, 8] as const))
      : Buffer.alloc(0);
  const narrow = (value: number): number => (member.isWide ? 0xffffffff : value);
  const isLater = member.descriptor !== undefined;
  const localExtra = Buffer.concat([wide(bytes, packedBytes), member.localExtra ?? Buffer.of()]);
  const extra = Buffer.concat([wide(bytes, packedBytes, offset), member.extra ?? Buffer.of()]);
  const comment = Buffer.from(member.memberComment ?? "");
  const local = [
    numbers([member.localSignature ?? 0x04034b50, 4], [20, 2]),
    numbers([member.localFlags ?? flags, 2], [member.localMethod ?? method, 2], [0, 4]),
    numbers([isLater ? 0 : crc, 4], [isLater ? 0 : narrow(packedBytes), 4]),
    numbers([isLater ? 0 : narrow(bytes), 4], [localName.length, 2], [localExtra.length, 2]),
    localName,
    localExtra,
    packed,
  ];
  if (member.descriptor === "signed") local.push(numbers([0x08074b50, 4]));
  if (isLater) local.push(numbers([crc, 4], [packedBytes, 4], [bytes, 4]));
  const central = Buffer.concat([
    numbers([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [crc, 4]),
    numbers([narrow(packedBytes), 4], [narrow(bytes), 4], [name.length, 2], [extra.length, 2]),
    numbers([comment.length, 2], [0, 2], [0, 2], [0, 4], [narrow(offset), 4]),
    name,
    extra,
    comment,
  ]);
  return { local, central };
}
