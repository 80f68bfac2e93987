// What others' tools say of the packages: publint of their manifests, Are The Types Wrong of what TypeScript finds.
import path from "node:path";
import { expect, it } from "vitest";
import { packed } from "./support/installed.ts";
import { run } from "./support/run.ts";

const root = path.resolve(import.meta.dirname, "../..");

it("publint and attw find nothing wrong", { timeout: 300_000 }, async () => {
  const { library, commandLine } = await packed();
  for (const file of [library, commandLine]) {
    expect(await run(root, "npx", "publint", file, "--strict")).toContain("All good!");
  }
  await run(root, "npx", "attw", library, "--profile", "esm-only");
  expect(await run(root, "npx", "attw", commandLine)).toContain("does not contain types"); // it is no library
});
