// The browser libraries behind the interactive figures, and where their builds are found; pages load them only when needed.

import { createRequire } from "node:module";
import { join } from "node:path";

/** A file that is copied into the site as it is. */
export interface VendorFile {
  /** Below the site's root. */
  readonly path: string;
  /** Absolute path of the file that is copied. */
  readonly source: string;
}

/**
 * Each build is a classic script, so that it also works from file://. vega-embed's build holds the expression interpreter
 * (vega-interpreter), which has no such build of its own.
 */
const BUILDS = [
  { library: "vega", build: "build/vega.min.js", name: "vega.min.js" },
  { library: "vega-lite", build: "build/vega-lite.min.js", name: "vega-lite.min.js" },
  { library: "vega-embed", build: "build/vega-embed.min.js", name: "vega-embed.min.js" },
  { library: "cytoscape", build: "dist/cytoscape.min.js", name: "cytoscape.min.js" },
] as const;

/** Lists the vendored files of a site. Throws where a library is not installed. */
export function vendorFiles(): readonly VendorFile[] {
  const require = createRequire(import.meta.url);
  return BUILDS.map(({ library, build, name }) => {
    // A package does not export its build. So the file that it does export is found, and its folder from that.
    const inside = require.resolve(library);
    const root = inside.slice(
      0,
      inside.lastIndexOf(join("node_modules", library)) + join("node_modules", library).length,
    );
    return { path: `assets/vendor/${name}`, source: join(root, build) };
  });
}
