// Names of the ways in which a zip's members may be packed.

const METHODS: Readonly<Record<number, string>> = {
  1: "Shrink",
  6: "Implode",
  9: "Deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "zstd",
  95: "xz",
  98: "PPMd",
  99: "AES",
};

/** Names a way of packing by its number, for people. */
export function methodName(method: number): string {
  return METHODS[method] ?? "a way not known";
}
