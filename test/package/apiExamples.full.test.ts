// The examples of the API reference compile beside the installed library.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { readApiExamples, writePrograms } from "./support/apiExamples.ts";
import { libraryInNode } from "./support/installed.ts";
import { complaints } from "./support/typeScript.ts";

it("the examples in the comments compile", { timeout: 300_000 }, async () => {
  const folder = path.join(await libraryInNode(), "api");
  await mkdir(folder);
  const examples = readApiExamples();
  const { files, options } = await writePrograms(folder, examples);
  console.log(`${examples.length} examples`);
  expect(files.length).toBeGreaterThan(100);
  expect(complaints(files, options)).toBe("");
});
