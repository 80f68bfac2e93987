// Kernels are timed once for an adapter: the command line as its users meet it.
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/formats/safetensors.ts";
import { cliWithPeople, small } from "./cliPeople.ts";

const { data, at, json } = cliWithPeople("cli-tuning-test");

// The cache folder is set by a variable on Linux alone: elsewhere this would write into the user's own.
describe.runIf(process.platform === "linux")("tuning", () => {
  const run = (out: string, ...more: string[]) =>
    json("train", data, "--out", at(out), ...small, "--filters", "4", "--validation", "0", "--steps", "2", ...more);
  const weights = (out: string) => readFile(at(out, "model.safetensors"));

  it("times kernels at the first start only, and takes the same again; a broken table is told and replaced", async () => {
    const first = await run("tuned");
    expect(first.stderr).toMatch(/timing kernels on this adapter, once: \d+ choices \(skip with --no-tune\)/);
    const folder = at("cache", "twingrad", "tuning");
    const [name, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    const { choices, version } = JSON.parse(await readFile(join(folder, name), "utf8"));
    expect(name).toContain(`twingrad-${version}`);
    expect(Object.keys(choices)).not.toEqual([]);

    const second = await run("tuned again");
    expect(second.stderr).not.toMatch(/timing/);
    expect(await weights("tuned again")).toEqual(await weights("tuned"));

    await writeFile(join(folder, name), "{");
    const third = await run("tuned anew");
    expect(third.stderr).toMatch(/twingrad: The tuning table could not be read: .*\.json: .*JSON/);
    expect(third.stderr).toMatch(/timing kernels/);
    expect(JSON.parse(await readFile(join(folder, name), "utf8")).version).toBe(version);
  }, 300_000); // on a busy machine timing takes its time

  it("a run that goes on keeps the kernels that it began with, whatever the table says by then", async () => {
    const kernels = async () => JSON.parse(decode(await weights("kept")).metadata.kernels);
    await run("kept");
    const before = await kernels();
    expect(Object.keys(before.choices)).not.toEqual([]);
    await rm(at("cache"), { recursive: true });
    const { stderr, steps } = await json("train", data, "--out", at("kept"), "--resume", "--steps", "4");
    expect(steps).toBe(4);
    expect(stderr).not.toMatch(/timing kernels|tuning table/);
    expect(await kernels()).toEqual(before);
    expect(existsSync(at("cache"))).toBe(false);
  });

  it("--no-tune times nothing and keeps nothing", async () => {
    await rm(at("cache"), { recursive: true, force: true });
    const { stderr } = await run("untuned", "--no-tune");
    expect(stderr).not.toMatch(/timing/);
    expect(existsSync(at("cache"))).toBe(false);
  });
});
