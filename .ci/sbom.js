// Reads what `npm sbom --sbom-format cyclonedx` writes and leaves out what changes with every run and place: the same lockfile makes the same
// file, byte for byte. Plain JavaScript, since the image is built with nothing installed.

let text = "";
process.stdin.setEncoding("utf8");
for await (const piece of process.stdin) text += piece;

const { serialNumber: _, ...sbom } = JSON.parse(text);
delete sbom.metadata.timestamp;
const { "bom-ref": ref, version } = sbom.metadata.component;
sbom.metadata.component = {
  "bom-ref": ref,
  type: "application",
  // npm calls the whole by the folder that it lies in.
  name: "hdash",
  version,
  licenses: [{ license: { id: "MIT" } }],
};
// By what the lockfile says of each package: npm's own --omit=dev also leaves out what runs, where something to develop with needs it too.
const isForDevelopment = ({ properties = [] }) =>
  properties.some(({ name, value }) => name === "cdx:npm:package:development" && value === "true");
sbom.components = sbom.components.filter((component) => !isForDevelopment(component));
const kept = new Set([ref, ...sbom.components.map((component) => component["bom-ref"])]);
sbom.dependencies = sbom.dependencies
  .filter((one) => kept.has(one.ref))
  .map((one) => ({ ...one, dependsOn: one.dependsOn.filter((to) => kept.has(to)) }));
process.stdout.write(`${JSON.stringify(sbom, null, 1)}\n`);
