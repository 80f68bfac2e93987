// What the pages of docs/ quote of examples/ is what lies there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../imports.ts";
import { readExamples } from "../package/support/examples.ts";

it("quotes the examples as they are", async () => {
  const examples = await readExamples();
  const quotes = examples.flatMap(({ place, text, notRun }) => {
    const [, file] = /^as (examples\/[^,]+),/.exec(notRun ?? "") ?? [];
    return file ? [{ place, file, text }] : [];
  });
  expect(quotes.length).toBeGreaterThan(8);
  for (const { place, file, text } of quotes) expect(text, place).toBe(readFileSync(join(root, file), "utf8"));
});
