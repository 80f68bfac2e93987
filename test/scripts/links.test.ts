// The check of the site's links finds what leads nowhere, and nothing else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { brokenLinks } from "../../scripts/site/links.ts";

const folder = mkdtempSync(join(tmpdir(), "links-test-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("finds files and anchors that are not there", () => {
  mkdirSync(join(folder, "guide"));
  const body = '<h1 id="top">A</h1><a href="#top"><a href="#nowhere"><a href="../b.html#there"><a href="gone.html">';
  writeFileSync(join(folder, "guide/a.html"), `${body}<img src="../picture.png"><a href="../b.html#not%20there">`);
  writeFileSync(join(folder, "b.html"), '<a name="there"><a href="https://example.org/"><a href="guide/">');
  expect(brokenLinks(folder).sort()).toEqual([
    "b.html: guide/",
    "guide/a.html: #nowhere",
    "guide/a.html: ../b.html#not%20there",
    "guide/a.html: ../picture.png",
    "guide/a.html: gone.html",
  ]);
});
