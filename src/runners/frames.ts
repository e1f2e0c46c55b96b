// How worker and launcher talk over one socket: frames of a length, a kind and a body, which is JSON or bytes of a command's output.

/** What the launcher is to do. */
export interface Order {
  readonly kind: "start";
  readonly id: number;
  readonly marker: string;
  readonly script: readonly {
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  }[];
  readonly timeMs: number | null;
  readonly memoryBytes: number | null;
  readonly processes: number | null;
}
export type ToLauncher = Order | { readonly kind: "stop"; readonly id: number };

/** What made the launcher end a command before it had ended by itself. */
export type Cause = "time" | "memory" | "processes" | "user";

/** How the programs of an order ended. */
export interface Ending {
  readonly kind: "end";
  readonly id: number;
  readonly cause: Cause | null;
  /** Why a program was not started; the error is the machine's where it has no room for a process. */
  readonly refusal: { readonly message: string; readonly isMachine: boolean } | null;
  readonly exits: readonly { readonly code: number | null; readonly signal: string | null }[];
  readonly leftBehind: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}
export type FromLauncher = { readonly kind: "ready" } | Ending;

const [JSON_KIND, OUTPUT_KIND] = [0, 1];
/** Four bytes of length (of what follows), one of kind. */
const HEADER_BYTES = 5;

/** Frames a message. */
export function frameMessage(message: ToLauncher | FromLauncher): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([header(JSON_KIND, body.length), body]);
}

/** Frames what a command has said, as two buffers to be written one after the other: output is not copied. */
export function frameOutput(id: number, bytes: Uint8Array): readonly [Buffer, Uint8Array] {
  const head = Buffer.alloc(HEADER_BYTES + 4);
  header(OUTPUT_KIND, 4 + bytes.length).copy(head);
  head.writeUInt32LE(id, HEADER_BYTES);
  return [head, bytes];
}

function header(kind: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(length);
  bytes[4] = kind;
  return bytes;
}

/** Makes a reader of frames: it is given bytes as they come, and hands on each frame when it is whole. */
export function makeFrameReader<Message>(on: {
  message(message: Message): void;
  output(id: number, bytes: Buffer): void;
}): (chunk: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wantedBytes = HEADER_BYTES;
  return (chunk) => {
    held.push(chunk);
    heldBytes += chunk.length;
    // Joined only when a frame is whole: a long one comes in many chunks.
    if (heldBytes < wantedBytes) return;
    let rest = held.length === 1 ? chunk : Buffer.concat(held);
    for (;;) {
      wantedBytes = HEADER_BYTES + (rest.length < HEADER_BYTES ? 0 : rest.readUInt32LE());
      if (rest.length < wantedBytes || rest.length < HEADER_BYTES) break;
      const body = rest.subarray(HEADER_BYTES, wantedBytes);
      const kind = rest[4];
      rest = rest.subarray(wantedBytes);
      if (kind === OUTPUT_KIND) on.output(body.readUInt32LE(), body.subarray(4));
      else on.message(JSON.parse(body.toString()) as Message);
    }
    held = rest.length === 0 ? [] : [rest];
    heldBytes = rest.length;
  };
}
