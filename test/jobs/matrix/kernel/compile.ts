// Compiles the kernel's AssemblyScript into the TypeScript file that holds its bytes.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { main } from "assemblyscript/asc";
import { format } from "prettier";

const FOLDER = join(import.meta.dirname, "../../../../src/jobs/matrix/kernel");
/** Where the compiled kernel is kept. */
export const KERNEL_FILE = join(FOLDER, "wasm.ts");

/** What is unpacked in one thread is parsed in another. */
const SHARED = ["--sharedMemory", "--maximumMemory", "65536", "--enable", "threads"];
const MODULES = [
  { name: "parse", options: SHARED },
  { name: "inflate", options: SHARED },
  { name: "fold", options: ["--enable", "simd"] },
];

/** Compiles every module; the text is that of src/jobs/matrix/kernel/wasm.ts. */
export async function compileKernel(): Promise<string> {
  const constants: string[] = [];
  for (const { name, options } of MODULES) {
    let bytes: Uint8Array | null = null;
    let said = "";
    const { error } = await main(
      [
        `${name}.ts`,
        ...["-O3", "--converge", "--noAssert", "--runtime", "stub", "--importMemory"],
        ...["--initialMemory", "1", "--outFile", `${name}.wasm`, ...options],
      ],
      {
        readFile: (file) => {
          // The compiler knows its sources by .ts; .as keeps them apart from TypeScript.
          const path = join(FOLDER, "assembly", file.replace(/\.ts$/, ".as"));
          return existsSync(path) ? readFileSync(path, "utf8") : null;
        },
        writeFile: (file, contents) => {
          if (file === `${name}.wasm` && typeof contents !== "string") bytes = contents;
        },
        listFiles: () => [],
        stderr: {
          write: (text) => {
            said += Buffer.from(text).toString();
          },
        },
      },
    );
    if (error !== null || bytes === null) {
      throw new Error(`${name}.as does not compile: ${said}`, { cause: error });
    }
    const text = Buffer.from(bytes).toString("base64");
    constants.push(
      `/** assembly/${name}.as, as base64. */\nexport const ${name.toUpperCase()}_WASM =\n  "${text}";\n`,
    );
  }
  return format(
    `// The compiled kernel. Made from assembly/ by \`npm run kernel\`; not to be edited.\n\n${constants.join("\n")}`,
    { parser: "typescript", printWidth: 100 },
  );
}
