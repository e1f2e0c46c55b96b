// Makes WebAssembly out of the kernel's bytes, and says how its memory is laid out.

const PAGE_BYTES = 65_536;
/** All that 32 bits can point at. */
export const MOST_PAGES = 65_536;
/** Nothing of ours lies below: the modules' own data, of which there is next to none. */
const FIRST_BYTE = 1024;

/** Memory of an instance; several instances, also of other threads, may have it together. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly that is used here: TypeScript's own types of it come with the browser's. */
interface WebAssemblyApi {
  readonly Memory: new (size: {
    initial: number;
    maximum: number;
    shared: boolean;
  }) => KernelMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Lays pieces one after the other, each aligned to 64 bytes (a line of the cache). */
export interface Layout {
  /** Reserves bytes; gives where they begin. */
  reserve(bytes: number): number;
  /** Pages that all of it needs. */
  pages(): number;
}

/** Begins an empty layout, behind what lies there already. */
export function makeLayout(from = FIRST_BYTE): Layout {
  let next = Math.ceil(from / 64) * 64;
  return {
    reserve(bytes) {
      const at = next;
      next = Math.ceil((next + bytes) / 64) * 64;
      return at;
    },
    pages: () => Math.ceil(next / PAGE_BYTES),
  };
}

/** Makes memory of that many pages, which may grow to `most`. */
export function makeMemory(pages: number, shared: boolean, most = pages): KernelMemory {
  return new api.Memory({ initial: pages, maximum: most, shared });
}

/** Makes memory have so many pages at least; what lies there stays. */
export function growMemory(memory: KernelMemory, pages: number): void {
  const has = memory.buffer.byteLength / PAGE_BYTES;
  if (has < pages) memory.grow(pages - has);
}

/** What a module asks its host: about text at a place, or about a number. */
type HostCall = (first: number, second: number) => number;

/** Makes an instance of a module given as base64; `Exports` is what its source exports. */
export function makeInstance<Exports>(
  base64: string,
  memory: KernelMemory,
  host: Readonly<Record<string, HostCall>> = {},
): Exports {
  const module = new api.Module(Buffer.from(base64, "base64"));
  // What a module exports is written in its source; wasm.test.ts keeps both the same.
  return new api.Instance(module, { env: { memory }, host }).exports as unknown as Exports;
}
