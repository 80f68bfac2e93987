// A folder of the origin-private file system, in a page: its contents, and its errors where the browser denies access.
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { pageScript } from "../bundle.ts";
import { localPage } from "./localPage.ts";

let page: Page;
let script: string;

beforeAll(async () => {
  script = await pageScript(join(import.meta.dirname, "originPrivateFolderPage.ts"));
  page = await localPage();
});
afterAll(() => page?.browser().close());
beforeEach(async () => {
  await page.goto("http://localhost/");
  await page.addScriptTag({ content: script });
});

it("keeps the old file until it is replaced, hides partial writes, and names what fails", async () => {
  const result = await page.evaluate(async () => {
    const folder = folderOf("a/b");
    const before = await folder.list();
    await folder.write("x", Uint8Array.of(1, 2, 3));
    await folder.write("x", Uint8Array.of(4));
    await folder.write("y", new Uint8Array(0));
    const names = (await folder.list()).sort();
    const content = [...(await folder.read("x"))];
    await folder.remove("y");
    const failures: string[] = [];
    for (const work of [
      () => folder.read("y"),
      () => folder.remove("y"),
      () => folder.write("a/b", Uint8Array.of(1)),
    ]) {
      await work().catch((error: Error & { code: string }) => failures.push(`${error.code} ${error.message}`));
    }
    return { before, names, content, left: await folder.list(), failures };
  });
  expect(result).toMatchObject({ before: [], names: ["x", "y"], content: [4], left: ["x"] });
  expect(result.failures).toEqual([
    expect.stringMatching(/^BAD_INPUT a\/b\/y: cannot be read: /),
    expect.stringMatching(/^BAD_INPUT a\/b\/y: cannot be removed: /),
    expect.stringMatching(/^BAD_INPUT a\/b\/a\/b: cannot be written: /),
  ]);
});

it("distinguishes an exceeded quota from a file in use, and keeps the old content", async () => {
  const cdp = await page.createCDPSession();
  const quota = (bytes?: number) =>
    cdp.send("Storage.overrideQuotaForOrigin", { origin: "http://localhost", quotaSize: bytes });
  await page.evaluate(() => folderOf("full").write("x", Uint8Array.of(7)));
  await quota(2 ** 20);
  // Ten times: which of two errors the browser tells of a write that finds no room is a race of its processes.
  const refused = await page.evaluate(async () => {
    const errors: Awaited<ReturnType<typeof failing>>[] = [];
    for (let n = 0; n < 10; n++) {
      errors.push(await failing(() => folderOf("full").write("x", new Uint8Array(2 ** 22))));
    }
    return errors;
  });
  await quota();
  for (const full of refused) {
    expect(full).toMatchObject({ code: "DISK", name: "DiskError", reason: "full" });
    expect(full.message).toMatch(
      /^full\/x: cannot be written: .*\(QuotaExceededError\); the storage quota of this origin is exceeded/,
    );
  }
  const after = await page.evaluate(async () => {
    const folder = folderOf("full");
    return { names: await folder.list(), content: [...(await folder.read("x"))] };
  });
  expect(after).toEqual({ names: ["x"], content: [7] });

  const busy = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("full");
    const file = await folder.getFileHandle(".x.part", { create: true });
    // biome-ignore lint/suspicious/noExplicitAny: TypeScript's library lacks the mode
    const held = await (file as any).createWritable({ mode: "exclusive" });
    const error = await failing(() => folderOf("full").write("x", Uint8Array.of(1)));
    await held.abort();
    await folderOf("full").write("x", Uint8Array.of(2)); // and works again
    return error;
  });
  expect(busy).toMatchObject({ code: "DISK", reason: "busy" });
  expect(busy.message).toMatch(/^full\/x: cannot be written: .*; another tab or worker has it open$/);
});

it("reports where the page has no access to storage", async () => {
  const framed = await page.browser().newPage();
  await framed.setRequestInterception(true);
  const frame = '<iframe name="inner" sandbox="allow-scripts" src="/inner"></iframe>';
  framed.on("request", (request) =>
    request.respond({ contentType: "text/html", body: request.url().endsWith("/inner") ? "<p>" : frame }),
  );
  await framed.goto("http://localhost/outer");
  const inner = await framed.waitForFrame((frame) => frame.name() === "inner");
  await inner.addScriptTag({ content: script });
  const denied = await inner.evaluate(() => failing(() => folderOf("a").list()));
  expect(denied).toMatchObject({ code: "DISK", reason: "denied" });
  expect(denied.message).toMatch(/^a: cannot be listed: .*SecurityError.*; the page may not use this storage/);
  await framed.close();
});
