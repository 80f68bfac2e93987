// Where Node tests find the PyTorch fixtures; they lie beside the repository and may be absent.

import { existsSync, readFileSync } from "node:fs";

const path = new URL("../../shared/fixtures/operations.json", import.meta.url);

/** The fixtures' text, or undefined where the file is absent. */
export const fixturesText = existsSync(path) ? readFileSync(path, "utf8") : undefined;

export const fixturesMissing = `no PyTorch fixtures at ${path.pathname}: these cases are skipped`;
