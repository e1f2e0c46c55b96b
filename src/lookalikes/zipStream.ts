// Writes zip archives as streams, with the same bytes every time: nothing is held but a piece of the member that is being written.

import { crc32, createDeflateRaw } from "node:zlib";

export interface StreamedMember {
  readonly name: string;
  /** Null: a member without bytes, as exports have many of. */
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | null;
  /** States a checksum that is not the content's. */
  readonly isDamaged?: boolean;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const DESCRIPTOR = 0x08074b50;
const RECORD = 0x06064b50;
const LOCATOR = 0x07064b50;
const END = 0x06054b50;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** 2.0 knows deflate, 4.5 sizes of 64 bits. */
const [VERSION, WIDE_VERSION] = [20, 45];
const UTF_8 = 0x0800;
const SIZES_FOLLOW = 0x0008;
/** 1 January 2020, so that nothing depends on the day of the making. */
const DOS_DATE = ((2020 - 1980) << 9) | (1 << 5) | 1;

type Field = readonly [value: number, width: 2 | 4 | 8];

/** What the directory has to know of a member that was written. */
interface Written {
  readonly name: Buffer;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly bytes: number;
  readonly offset: number;
}

/** Writes an archive of the members, in their order; each is asked for when the one before has been written. */
export async function* zipStream(
  members: AsyncIterable<StreamedMember> | Iterable<StreamedMember>,
): AsyncGenerator<Buffer> {
  const written: Written[] = [];
  let at = 0;
  for await (const member of members) {
    const name = Buffer.from(member.name);
    const isEmpty = member.content === null;
    const [method, flags] = isEmpty ? [0, UTF_8] : [8, UTF_8 | SIZES_FOLLOW];
    const offset = at;
    const header = fields([LOCAL, 4], ...facts(method, flags, 0, 0, 0, name.length), [0, 2]);
    yield Buffer.concat([header, name]);
    at += header.length + name.length;
    const tally = { crc: 0, bytes: 0, packed: 0 };
    if (member.content !== null) {
      for await (const piece of deflated(member.content, tally)) {
        tally.packed += piece.length;
        yield piece;
      }
      if (member.isDamaged === true) tally.crc = (tally.crc ^ 1) >>> 0;
      const width = tally.bytes >= MAX_32 || tally.packed >= MAX_32 ? 8 : 4;
      const tail = fields(
        [DESCRIPTOR, 4],
        [tally.crc, 4],
        [tally.packed, width],
        [tally.bytes, width],
      );
      yield tail;
      at += tally.packed + tail.length;
    }
    written.push({ name, method, flags, ...tally, offset });
  }
  const start = at;
  for (const member of written) {
    const entry = centralOf(member);
    at += entry.length;
    yield entry;
  }
  yield endOf(written.length, start, at - start);
}

/** Packs a content piece by piece, and counts what goes in. */
async function* deflated(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  tally: { crc: number; bytes: number },
): AsyncGenerator<Buffer> {
  const codec = createDeflateRaw({ chunkSize: 64 << 10 });
  const feeding = (async () => {
    try {
      for await (const piece of content) {
        tally.crc = crc32(piece, tally.crc);
        tally.bytes += piece.length;
        if (!codec.write(piece)) await new Promise<void>((resolve) => codec.once("drain", resolve));
        if (codec.destroyed) return;
      }
      codec.end();
    } catch (error) {
      codec.destroy(error as Error);
    }
  })();
  try {
    yield* codec as AsyncIterable<Buffer>;
    await feeding;
  } finally {
    codec.destroy();
  }
}

/** What local header and directory say alike, from the version needed to the length of the name. */
function facts(
  method: number,
  flags: number,
  crc: number,
  packed: number,
  bytes: number,
  nameBytes: number,
): readonly Field[] {
  const version = packed >= MAX_32 || bytes >= MAX_32 ? WIDE_VERSION : VERSION;
  return [
    ...([
      [version, 2],
      [flags, 2],
      [method, 2],
      [0, 2],
      [DOS_DATE, 2],
      [crc, 4],
    ] as const),
    ...([
      [packed, 4],
      [bytes, 4],
      [nameBytes, 2],
    ] as const),
  ];
}

function centralOf({ name, method, flags, crc, packed, bytes, offset }: Written): Buffer {
  // Only what does not fit into 32 bits stands in the 64-bit field, in this order.
  const wide = [bytes, packed, offset].filter((value) => value >= MAX_32);
  const extra =
    wide.length === 0
      ? Buffer.alloc(0)
      : fields([1, 2], [wide.length * 8, 2], ...wide.map((value) => [value, 8] as const));
  const [narrowPacked, narrowBytes, narrowOffset] = [packed, bytes, offset].map((value) =>
    Math.min(value, MAX_32),
  ) as [number, number, number];
  const head = fields(
    [CENTRAL, 4],
    [wide.length === 0 ? VERSION : WIDE_VERSION, 2],
    ...facts(method, flags, crc, narrowPacked, narrowBytes, name.length),
    ...([
      [extra.length, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 4],
      [narrowOffset, 4],
    ] as const),
  );
  return Buffer.concat([head, name, extra]);
}

function endOf(members: number, offset: number, bytes: number): Buffer {
  const isWide = members >= MAX_16 || offset >= MAX_32 || bytes >= MAX_32;
  const record = fields(
    ...([
      [RECORD, 4],
      [44, 8],
      [WIDE_VERSION, 2],
      [WIDE_VERSION, 2],
      [0, 4],
      [0, 4],
    ] as const),
    ...([
      [members, 8],
      [members, 8],
      [bytes, 8],
      [offset, 8],
    ] as const),
    ...([
      [LOCATOR, 4],
      [0, 4],
      [offset + bytes, 8],
      [1, 4],
    ] as const),
  );
  const count = Math.min(members, MAX_16);
  const end = fields(
    ...([
      [END, 4],
      [0, 2],
      [0, 2],
      [count, 2],
      [count, 2],
    ] as const),
    ...([
      [Math.min(bytes, MAX_32), 4],
      [Math.min(offset, MAX_32), 4],
      [0, 2],
    ] as const),
  );
  return isWide ? Buffer.concat([record, end]) : end;
}

function fields(...list: readonly Field[]): Buffer {
  const buffer = Buffer.alloc(list.reduce((sum, [, width]) => sum + width, 0));
  let at = 0;
  for (const [value, width] of list) {
    if (width === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, width);
    at += width;
  }
  return buffer;
}
