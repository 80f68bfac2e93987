// The size of the first load: the page, its worker and the decoder's worker, with their static imports.
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { buildStudio } from "../../scripts/packages/studio.mjs";

const most = 400_000;

it(`is at most ${most / 1000} kB, gzipped; the report's charts come later`, { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "twingrad-studio-"));
  try {
    const { outputs } = await buildStudio(folder);
    const path = (name: string) => relative(process.cwd(), join(folder, name));
    const loaded = new Set<string>();
    const load = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const { path, kind, external } of outputs[file].imports) {
        if (kind === "import-statement" && !external) load(path);
      }
    };
    for (const entry of ["studio.js", "studio.css", "worker.js", "decoder.js"]) load(path(entry));
    let bytes = gzipSync(await readFile(join(folder, "index.html"))).length;
    for (const file of loaded) bytes += gzipSync(await readFile(file)).length;
    expect(bytes).toBeGreaterThan(50_000); // they are found
    expect(bytes).toBeLessThan(most);
    const report = Object.keys(outputs).find((file) => /evaluationPage-\w+\.js$/.test(file))!;
    expect(loaded.has(report)).toBe(false);
    expect((await stat(report)).size).toBeLessThan(700_000); // unused parts of the charts' library are left out
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
