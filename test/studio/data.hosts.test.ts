// Adding data to the studio: thousands of files at once, invalid files, hostile names, records, the camera, and full
// storage. Nothing stored before is lost.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ElementHandle } from "puppeteer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordCodec } from "../../src/formats/tfrecord/recordCodec.ts";
import { recordFile } from "../data/sources/recordBytes.ts";
import { openStudio, type Studio } from "./studioPage.ts";

const people = 200;
const picturesEach = 10;
const hostile = '<img src=x onerror="document.title=1">';

let studio: Studio;
const path = (name: string) => studio.path(name);

/** A gray picture of 16 x 16 pixels, different for each number. */
function pgm(number: number): Buffer {
  const pixels = Uint8Array.from({ length: 256 }, (_, i) => (i * 7 + number * 13 + (number >> 8) * (i % 5)) & 255);
  pixels.set([number & 255, number >> 8]);
  return Buffer.concat([Buffer.from("P5\n16 16\n255\n"), pixels]);
}

beforeAll(async () => {
  studio = await openStudio({
    args: () => ["--use-fake-device-for-media-stream"],
    async prepare(path) {
      for (let person = 0; person < people; person++) {
        const own = join(path("many"), person === 0 ? hostile.replace("/", "") : `person ${person}`);
        await mkdir(own, { recursive: true });
        for (let n = 0; n < picturesEach; n++) await writeFile(join(own, `${n}.pgm`), pgm(person * picturesEach + n));
      }
      const mixed = path("mixed/Ada");
      await mkdir(mixed, { recursive: true });
      await writeFile(join(mixed, "good.pgm"), pgm(60_000));
      await writeFile(join(mixed, "again.pgm"), pgm(60_000));
      await writeFile(join(mixed, "cut.jpg"), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]));
      await writeFile(join(mixed, "empty.png"), "");
    },
  });
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());

async function addFolder(name: string): Promise<void> {
  const input = await studio.page.$("input[webkitdirectory]");
  await (input as ElementHandle<HTMLInputElement>).uploadFile(path(name));
}

const text = () => studio.page.evaluate(() => document.querySelector("main")!.textContent!);

it("2,000 pictures of 200 people at once: the page stays responsive", { timeout: 240_000 }, async () => {
  await addFolder("many");
  await studio.until(({ line }) => /^Adding pictures: \d+ of 2000$/.test(line), 60);
  const answered: number[] = [];
  for (let now = await studio.told(); now.state === "loading"; ) {
    const asked = performance.now();
    now = await studio.told();
    answered.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  answered.sort((a, b) => a - b);
  const middle = answered[Math.floor(answered.length / 2)];
  console.log(`asked ${answered.length} times: answered within ${Math.round(middle)} ms, at most ${answered.at(-1)}`);
  expect(middle).toBeLessThan(100);
  const { line } = await studio.told();
  expect(line).toBe("Ready: 2,000 pictures of 200 people");
  expect(await studio.page.evaluate(() => document.querySelectorAll("main img").length)).toBeLessThanOrEqual(96);
});

it("names are shown as text", async () => {
  expect(await text()).toContain(hostile.replace("/", ""));
  expect(await studio.page.title()).toBe("twingrad studio");
  expect(await studio.page.$("main img[src=x]")).toBeNull();
});

it("keeps the focus in the search, and a renamed person in view", { timeout: 60_000 }, async () => {
  const { page, press } = studio;
  const endSearch = () =>
    page.$eval("#find-person", (search) => {
      (search as HTMLInputElement).value = "";
      search.dispatchEvent(new Event("input", { bubbles: true }));
    });
  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");
  await press("Open person 14");
  await page.waitForFunction(() => document.activeElement?.id.startsWith("name-"));
  const editor = await focused();
  await page.focus("#find-person");
  await page.keyboard.type("21");
  await page.waitForFunction((id) => !document.getElementById(id), {}, editor);
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Backspace");
  await page.waitForSelector(`#${editor}`);
  await page.keyboard.type("person 14");
  expect(await page.$eval("#find-person", (input) => (input as HTMLInputElement).value)).toBe("person 14");
  expect(await focused()).toBe("find-person");
  expect(await page.$eval(`#${editor}`, (input) => (input as HTMLInputElement).value)).toBe("person 14");

  await page.locator(`#${editor}`).fill("Zoe");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".person-open img")?.getAttribute("alt")?.startsWith("Zoe"));
  expect(await focused()).toBe(editor); // although the search is for the old name
  await endSearch();
  await page.locator(`#${editor}`).fill("Aaron"); // from the last page to the first
  await page.keyboard.press("Enter");
  await page.waitForFunction(() =>
    document.querySelector(".person-open img")?.getAttribute("alt")?.startsWith("Aaron"),
  );
  expect(await focused()).toBe(editor);
  await page.locator(`#${editor}`).fill("person 14");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.id.startsWith("open-"));
  await page.locator("#find-person").fill("nobody at all");
  expect(await text()).toContain("Nobody's name contains “nobody at all”");
  await endSearch();
});

it("skips unreadable and duplicate pictures, with the reason", { timeout: 60_000 }, async () => {
  await addFolder("mixed");
  await studio.page.waitForFunction(() => /3 pictures skipped/.test(document.body.textContent!), { timeout: 30_000 });
  const told = await text();
  expect(told).toContain("again.pgm");
  expect(told).toMatch(/duplicate: It is the same picture as Ada, (good|again)\.pgm\./);
  expect(told).toMatch(/unreadable: .*jpeg file cannot be decoded/);
  expect(told).toMatch(/unreadable: the file is empty/);
  expect(told).toContain("1 picture added. 3 were skipped; the list below says why.");
  await studio.page.waitForSelector("::-p-aria([name='Open Ada'][role='button'])"); // on the page that is shown
  await studio.until(({ line }) => line === "Ready: 2,001 pictures of 201 people", 30);
});

it("adds TFRecord files, and skips unreadable records", { timeout: 60_000 }, async () => {
  const codec = await recordCodec();
  const example = (n: number) => ({
    image: [new Uint8Array(pgm(50_000 + n))],
    label: [1n],
    name: [new TextEncoder().encode("Lin")],
  });
  const file = recordFile(codec, [example(1), example(2)]);
  file[file.length - 8] ^= 1; // within the second record's data
  await writeFile(path("lin.tfrecord"), file);
  const input = await studio.page.$("input[aria-label='TFRecord files']");
  await (input as ElementHandle<HTMLInputElement>).uploadFile(path("lin.tfrecord"));
  await studio.until(({ line }) => line === "Ready: 2,002 pictures of 202 people", 30);
  expect(await text()).toMatch(/unreadable: lin\.tfrecord: record 2 at byte \d+: the checksum of its data is wrong/);
});

it("reports full storage, and loses nothing stored before", { timeout: 60_000 }, async () => {
  const cdp = await studio.page.createCDPSession();
  const { origin } = new URL(studio.url);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
  await rm(path("mixed"), { recursive: true });
  await mkdir(path("mixed/Grace"), { recursive: true });
  for (const n of [1, 2]) await writeFile(path(`mixed/Grace/${n}.pgm`), pgm(61_000 + n));
  await addFolder("mixed");
  await studio.page.waitForFunction(
    () =>
      /quota of this origin is exceeded, or the disk is full/.test(
        document.querySelector("[role=alert]")?.textContent ?? "",
      ),
    { timeout: 30_000 },
  );
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await studio.page.reload();
  await studio.until(({ state, line }) => state === "idle" && /2,002 pictures of 202 people/.test(line), 60);
  await addFolder("mixed");
  await studio.until(({ state, line }) => state === "idle" && /2,004 pictures of 203 people/.test(line), 60);
});

it("reports a denied camera, and takes pictures with an allowed one", { timeout: 120_000 }, async () => {
  const { page, press, url } = studio;
  const context = page.browserContext();
  await context.overridePermissions(url, []);
  await press("Use the camera");
  await page.waitForFunction(
    () => /access to the camera was denied/i.test(document.querySelector(".camera")?.textContent ?? ""),
    {
      timeout: 30_000,
    },
  );
  await context.overridePermissions(url, ["camera"]);
  await press("Start camera");
  await page.waitForSelector("::-p-aria([name='Stop camera'][role='button'])");
  await page.locator("#camera-name").fill("Me");
  await press("Take 10");
  await studio.until(({ line }) => / of 204 people$/.test(line), 60);
  await press("Stop camera");
  await page.waitForSelector("::-p-aria([name='Start camera'][role='button'])"); // the page has followed
  const tracks = await page.evaluate(() => document.querySelector("video")!.srcObject);
  expect(tracks).toBeNull();
});
