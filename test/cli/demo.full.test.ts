// The demo from end to end on a few people: what it prints, what it writes, and that a seed decides it all. How well
// the whole of it recognizes people is measured by running it.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runDemo } from "../../src/cli/demo/run.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-demo-"));
});
afterAll(() => rm(folder, { recursive: true }));

const people = { training: 16, validation: 4, unseen: 21 };
const demo = async (report: string) => {
  const lines: string[] = [];
  const options = { seed: 1, steps: 3, people, report: join(folder, report), cache: join(folder, "faces") };
  const { result, text } = await runDemo(options, (line) => lines.push(line));
  return { result: result as Record<string, never>, text, lines };
};

test("trains, evaluates, identifies and reports, the same figures for the same seed", async () => {
  const first = await demo("first.html");
  const { adapter, steps, firstLoss, lastLoss, verification, oneShot, baseline, identification, report } = first.result;
  expect(adapter).toMatchObject({ vendor: expect.any(String), software: expect.any(Boolean) });
  expect(steps).toBe(3);
  for (const loss of [firstLoss, lastLoss]) expect(loss).toBeGreaterThan(0);
  for (const { accuracy, auc, eer } of [verification, baseline] as Record<string, number>[]) {
    for (const share of [accuracy, auc, eer]) expect(share).toSatisfy((value: number) => value >= 0 && value <= 1);
    expect(auc).toBeGreaterThan(0.55);
  }
  expect(oneShot).toMatchObject({ ways: 20 });
  expect(identification).toMatchObject({ known: 55, strangers: 32 });
  expect(first.text).toContain(report);
  expect(first.lines.join("\n")).toContain("training on 16 people for 3 steps");
  const page = await readFile(report, "utf8");
  expect(page).toContain("41 in all, 12 pictures of each, seed 1");
  expect(page.match(/<svg /g)).toHaveLength(3);
  expect(page).toContain("A batch has 16 people with 3 pictures each");
  expect(page).toContain("<dt>Pictures seen</dt><dd>144</dd>");
  const [one, two] = ["Genuine pairs, correctly accepted", "Impostor pairs, correctly rejected"].map((group) => {
    const pairs = page.split(`${group}</h3>`)[1].split("</ul>")[0];
    return [...pairs.matchAll(/<small>(\d+) %<\/small>/g)].map(([, chance]) => Number(chance));
  });
  expect([one.length, two.length]).toEqual([12, 12]);
  expect(Math.min(...one)).toBeGreaterThanOrEqual(Math.max(...two)); // as a chance falls with the distance
  expect(Math.max(...one)).toBeGreaterThan(Math.min(...two));

  const again = await demo("again.html");
  const timeless = ({ seconds: _, report: __, ...figures }: Record<string, never>) => figures;
  expect(timeless(again.result)).toEqual(timeless(first.result));
}, 180_000);
