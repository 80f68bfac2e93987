// The library by itself: small, no native module, no dependency, and clear words where Node needs more.
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { addPrograms, installedIn, libraryAlone } from "./support/installed.ts";
import { answer } from "./support/run.ts";

let folder: string;

beforeAll(async () => {
  folder = await libraryAlone();
  await addPrograms(folder);
}, 300_000);

it("takes at most 3 MB, brings no native module and depends on nothing", async () => {
  expect(Object.keys(await installedIn(folder))).toEqual(["twingrad"]);
  const modules = path.join(folder, "node_modules");
  const entries = await readdir(modules, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  expect(files.filter((file) => file.endsWith(".node"))).toEqual([]);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`the library alone: ${files.length} files, ${bytes} bytes`);
  expect(bytes).toBeLessThan(3e6);
});

it("is imported in Node, and names the package that it lacks, why, and the command that installs it", async () => {
  const { works, device, picture, core } = await answer<Record<string, unknown>>(folder, "node", "alone.js");
  expect(works).toEqual(["function", 16, 5, "string", "function"]);
  expect(device).toEqual({
    code: "MISSING_PACKAGE",
    message: 'A device in Node needs the package "webgpu", which is not installed. Install it with: npm install webgpu',
  });
  expect(picture).toEqual({
    code: "MISSING_PACKAGE",
    message:
      'Decoding pictures in Node needs the package "sharp", which is not installed. Install it with: npm install sharp',
  });
  expect(core).toMatchObject({
    code: "NO_ADAPTER",
    message: expect.stringContaining('openDevice() of "twingrad/node"'),
  });
});
