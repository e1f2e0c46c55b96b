// Where Node keeps what it has compiled: hundreds of processes begin with the same modules, and need not compile them again.

import { join } from "node:path";

/** The folder, as NODE_COMPILE_CACHE names it. */
export const COMPILE_CACHE = join(import.meta.dirname, "../../node_modules/.cache/hdash-compiled");
