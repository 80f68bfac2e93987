// The documentation's site, built as `npm run site` builds it, which checks comments and links.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("builds, with the guide, the reference and the studio", { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "site"]);
  expect(stdout).toContain("every link leads somewhere");
  const page = (name: string) => readFile(`build/site/${name}`, "utf8");
  expect(await page("guide/cli.html")).toContain("twingrad records create");
  expect(await page("functions/twingrad.conv2d.html")).toContain("Cross-correlation");
  expect(await page("studio/index.html")).toContain("<!doctype html>");
});
