import { expect, test } from "vitest";
import { createTestDatabase } from "../support/postgres.ts";
import { createEmbeddedDatabase } from "../support/embedded.ts";
import { saveAtlases, listAtlases } from "../../src/store/atlases.ts";
test("smoke pg", async () => {
  const t = await createTestDatabase();
  console.log(await saveAtlases(t.database.db, [{ atlasId: "HTA3", projectId: "syn1", name: "x", liaison: "" }]), await listAtlases(t.database.db), t.database.describe());
  await t.drop();
});
test("smoke pglite", async () => {
  const d = await createEmbeddedDatabase();
  console.log(await saveAtlases(d.db, [{ atlasId: "HTA3", projectId: "syn1", name: "x", liaison: "" }]), await listAtlases(d.db), d.describe());
  await d.close();
});
