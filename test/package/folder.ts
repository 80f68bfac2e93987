// The folder that the published packages are installed into for one run of the tests, outside of the repository.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Empty, until the first test that needs a package fills it. */
    packageFolder: string;
  }
}

export default function setup(project: TestProject) {
  const folder = mkdtempSync(path.join(tmpdir(), "twingrad-package-"));
  project.provide("packageFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
