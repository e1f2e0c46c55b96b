// The thread in which HDF5 files are read: the library is synchronous. It answers one question after the other, and is of no use
// after the first that failed, because the library is left in the middle of a call then.

import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";

import { Attribute, Dataset, type Metadata, ready } from "h5wasm/node";

import type {
  Answers,
  Box,
  Column,
  DatasetInfo,
  ElementKind,
  NodeKind,
  Question,
  Reply,
  Request,
} from "./protocol.ts";

/** The classes of HDF5 types, as H5T_class_t numbers them. */
const [INTEGER, FLOAT, STRING, COMPOUND, ENUM] = [0, 1, 3, 6, 8];
/** Reals by their bytes. */
const FLOATS: Readonly<Record<number, ElementKind>> = { 2: "float16", 4: "float32", 8: "float64" };
/** O_EXCL as the library's C runtime has it: only its own temporary file, into which it prints an error, is opened so. */
const EXCLUSIVE = 0o200;

class Elsewhere extends Error {}
/** What is said in our own words, fit for people. */
class Unfit extends Error {}

const port = parentPort;
const library = await ready;
// Without this a chunk that cannot be read passes as data.
library.activate_throwing_error_handler();
const pluginDir = join(dirname(fileURLToPath(import.meta.resolve("h5wasm-plugins"))), "plugins");
library.insert_plugin_search_path(pluginDir, 0);
const pluginDirs = library.get_plugin_search_paths();

// An HDF5 file can name other files (external links, external data, virtual datasets) that the library would open wherever they lie.
const openAny = library.FS.open;
library.FS.open = (path, flags, ...rest) => {
  const isPlugin = pluginDirs.some((dir) => path === dir || path.startsWith(`${dir}/`));
  const isTemporary = /^\/tmp\/tmpfile_\w+$/.test(path) && (Number(flags) & EXCLUSIVE) !== 0;
  if (path !== filePath && !isPlugin && !isTemporary) {
    throw new Elsewhere("it refers to another file");
  }
  return openAny(path, flags, ...rest);
};

let filePath = "";
let file = 0n;
const metadataOf = new Map<string, Metadata>();
let room = 0;
let roomBytes = 0;

function metadata(path: string): Metadata {
  let known = metadataOf.get(path);
  if (known === undefined) {
    known = library.get_dataset_metadata(file, path);
    metadataOf.set(path, known);
  }
  return known;
}

function kindOf({ type, size, signed, enum_type: base }: Metadata): ElementKind {
  if (type === STRING) return "text";
  if (type === COMPOUND) return "table";
  if (type === FLOAT) return FLOATS[size] ?? "other";
  if (type !== INTEGER && !(type === ENUM && base?.type === INTEGER)) return "other";
  if (size === 1) return signed ? "int8" : "uint8";
  if (size === 2) return signed ? "int16" : "uint16";
  if (size === 4) return signed ? "int32" : "uint32";
  return size === 8 ? (signed ? "int64" : "uint64") : "other";
}

function describe(path: string): DatasetInfo {
  const found = metadata(path);
  const columns: Column[] = (found.compound_type?.members ?? []).map((member) => ({
    name: member.name,
    kind: kindOf(member),
  }));
  return {
    path,
    shape: found.shape ?? [],
    kind: found.shape === null ? "other" : kindOf(found),
    itemBytes: found.size,
    chunks: found.chunks,
    filters: new Dataset(file, path).filters.map(({ id, name }) => ({ id, name })),
    columns,
    isVirtual: found.virtual_sources !== undefined,
  };
}

function list(path: string): Answers["list"] {
  const names: readonly string[] = library.get_names(file, path, false);
  return names.map((name) => {
    const at = path === "/" ? `/${name}` : `${path}/${name}`;
    return { name, kind: kindOfNode(at) };
  });
}

function kindOfNode(path: string): NodeKind {
  // The library would follow a link, which fails, and is of no use after that.
  const { filename }: { filename?: string } = library.get_external_link(file, path);
  if (filename !== undefined) return "elsewhere";
  const type = library.get_type(file, path);
  if (type === library.H5G_GROUP) return "group";
  return type === library.H5G_DATASET ? "dataset" : "other";
}

function attribute(path: string, name: string): Answers["attribute"] {
  if (!library.get_attribute_names(file, path).includes(name)) return null;
  const { type, shape, vlen_type: isList } = library.get_attribute_metadata(file, path, name);
  if (shape === null || isList !== undefined) return null;
  if (type !== STRING && type !== INTEGER && type !== FLOAT) return null;
  const value = new Attribute(file, path, name).json_value;
  const values = Array.isArray(value) ? value : [value];
  return values.filter((item) => typeof item === "string" || typeof item === "number");
}

/** Reads a box to where `room` points. */
function fetchBox(path: string, { start, count }: Box): number {
  const { shape, size: itemBytes } = metadata(path);
  const bytes = count.reduce((product, size) => product * size, itemBytes);
  if (bytes > roomBytes) {
    if (room !== 0) library._free(room);
    roomBytes = 0;
    room = library._malloc(bytes);
    if (room === 0) throw new Unfit(`there is no memory for ${bytes} bytes of it`);
    roomBytes = bytes;
  }
  if (bytes === 0) return 0;
  // A single value has no dimensions to choose from.
  const [counts, starts, strides] =
    shape?.length === 0
      ? [null, null, null]
      : [count.map(BigInt), start.map(BigInt), count.map(() => 1n)];
  const status = library.get_dataset_data(file, path, counts, starts, strides, BigInt(room));
  if (status < 0) throw new Error("H5Dread failed");
  return bytes;
}

/** Gives strings, each followed by "\0", as one: the first lies at `first`, the others `step` apart. */
function stringsOf(
  { size, vlen, strpad }: Metadata,
  first: number,
  step: number,
  end: number,
): string {
  const heap = library.HEAPU8;
  let text = Buffer.alloc(1 << 16);
  let put = 0;
  for (let at = first; at < end; at += step) {
    const from = vlen ? (library.HEAPU32[at >>> 2] ?? 0) : at;
    const most = vlen ? (from === 0 ? 0 : heap.length) : at + size;
    const begin = put;
    for (let next = from; next < most && heap[next] !== 0; next++) {
      if (put + 1 === text.length) text = Buffer.concat([text], text.length * 2);
      text[put++] = heap[next] ?? 0;
    }
    // 2: padded with blanks, as Fortran does.
    if (!vlen && strpad === 2) while (put > begin && text[put - 1] === 32) put--;
    if (put + 1 === text.length) text = Buffer.concat([text], text.length * 2);
    text[put++] = 0;
  }
  return text.toString("utf8", 0, put);
}

/** Tells how to show the number at an address as text. */
function textOf(type: Metadata): (address: number) => string {
  const { size } = type;
  const kind = kindOf(type);
  const at = (address: number) => new DataView(library.HEAPU8.buffer, address, size);
  switch (kind) {
    case "int8":
      return (address) => String(at(address).getInt8(0));
    case "uint8":
      return (address) => String(at(address).getUint8(0));
    case "int16":
      return (address) => String(at(address).getInt16(0, true));
    case "uint16":
      return (address) => String(at(address).getUint16(0, true));
    case "int32":
      return (address) => String(at(address).getInt32(0, true));
    case "uint32":
      return (address) => String(at(address).getUint32(0, true));
    case "int64":
      return (address) => String(at(address).getBigInt64(0, true));
    case "uint64":
      return (address) => String(at(address).getBigUint64(0, true));
    case "float16":
      return (address) => String(at(address).getFloat16(0, true));
    case "float32":
      return (address) => String(at(address).getFloat32(0, true));
    case "float64":
      return (address) => String(at(address).getFloat64(0, true));
    case "text":
    case "table":
    case "other":
      throw new Unfit("its values are neither texts nor numbers");
  }
}

function texts(path: string, column: string | null, box: Box): string {
  const whole = metadata(path);
  const members = whole.compound_type?.members ?? [];
  const member = column === null ? undefined : members.find(({ name }) => name === column);
  if (column !== null && member === undefined) throw new Unfit(`it has no column ${column}`);
  if (member?.littleEndian === false && member.type !== STRING) {
    throw new Unfit(`column ${column} is stored in an order of bytes that is not read`);
  }
  const type = member ?? whole;
  const show = type.type === STRING ? null : textOf(type);
  const bytes = fetchBox(path, box);
  const first = room + (member?.offset ?? 0);
  let found = "";
  if (show === null) found = stringsOf(type, first, whole.size, room + bytes);
  else for (let at = 0; at < bytes; at += whole.size) found += `${show(first + at)}\0`;
  // Not the library's reclaim_vlen_memory: it takes a piece for the whole dataset, and frees what lies beyond.
  const owned = whole.vlen ? [0] : members.filter(({ vlen }) => vlen).map(({ offset }) => offset);
  for (const offset of owned) {
    for (let at = 0; at < bytes; at += whole.size) {
      library._free(library.HEAPU32[(room + at + offset) >>> 2] ?? 0);
    }
  }
  return found;
}

function answer(request: Request): unknown {
  switch (request.op) {
    case "open":
      filePath = request.file;
      file = library.open(filePath, library.H5F_ACC_RDONLY, false);
      return null;
    case "list":
      return list(request.path);
    case "describe":
      return describe(request.path);
    case "attribute":
      return attribute(request.path, request.name);
    case "texts":
      return texts(request.path, request.column, {
        start: [request.start],
        count: [request.count],
      });
    case "read": {
      const bytes = fetchBox(request.path, request.box);
      new Uint8Array(request.into).set(library.HEAPU8.subarray(room, room + bytes));
      return null;
    }
  }
}

/** Shortens HDF5's stack of errors to what the outermost and the innermost call say, without our paths. */
function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const said = [...text.matchAll(/ in \w+\(\): (.+)/g)].map(([, words]) => words ?? "");
  const [first] = said;
  const last = said.at(-1);
  const words =
    first === undefined || last === undefined ? text : first === last ? first : `${first}: ${last}`;
  return words
    .replaceAll(filePath, "the file")
    .replaceAll(dirname(pluginDir), "the plugins")
    .replaceAll(tmpdir(), "the temporary folder")
    .slice(0, 500);
}

port?.on("message", ({ id, request }: Question) => {
  let reply: Reply;
  try {
    reply = { id, answer: answer(request) };
  } catch (error) {
    const kind =
      error instanceof Elsewhere ? "elsewhere" : error instanceof Unfit ? "unfit" : "failed";
    reply = { id, problem: problemOf(error), kind };
  }
  port.postMessage(reply);
});
