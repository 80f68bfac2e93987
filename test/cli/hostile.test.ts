// Files that a user names or that lie about on a disk, with any content: configurations and tuning tables end in a result
// or in a typed error that says where the mistake is. Checkpoints, records and galleries have tests of their own.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { defaults, readSettings, resolveSettings } from "../../src/cli/options/settings.ts";
import { TwingradError } from "../../src/errors.ts";
import type { TuningTable } from "../../src/gpu/tunerTable.ts";
import { fileTuningStore } from "../../src/node/files/tuning.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-hostile-"));
afterAll(() => rm(folder, { recursive: true }));

const value = fc.oneof(fc.jsonValue(), fc.constantFrom(0, -1, 1.5, 1e300, null, "", [], {}, [0], ["x"]));
/** A JSON object with some of these keys, others and `__proto__` among them. */
const objectText = (keys: string[]) =>
  fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...keys, "__proto__", "constructor", "toString"), fc.string()), value))
    .map((entries) => `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`).join(",")}}`);
/** The text with a byte changed or its end cut off. */
const damaged = (text: string) =>
  fc.oneof(
    fc
      .tuple(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, one]) => text.slice(0, at) + one + text.slice(at + 1)),
    fc.nat(text.length - 1).map((length) => text.slice(0, length)),
  );

/** Either a result that satisfies `check`, or one of our errors, which names the file. */
async function ends<T>(path: string, text: string, work: () => Promise<T>, check: (result: T) => void): Promise<void> {
  await writeFile(path, text);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof TwingradError)) throw error;
    expect(error.message.startsWith(path), error.message).toBe(true);
    return;
  }
  check(result);
}

describe("files of any content", () => {
  it("configurations give settings that can be used, or say which is wrong", async () => {
    const path = join(folder, "config.json");
    const whole = JSON.stringify(defaults);
    const usable = { ...defaults, steps: 3, differentProbability: 0.5 };
    await fc.assert(
      fc.asyncProperty(fc.oneof(objectText(Object.keys(usable)), fc.json(), damaged(whole)), async (text) => {
        await ends(
          path,
          text,
          () => readSettings(path),
          (settings) => {
            // Only how pairs are drawn can contradict itself, which is told when the flags are known, too.
            const { balanced: _, ...rest } = settings;
            expect(resolveSettings(rest, {})).toMatchObject(rest);
          },
        );
      }),
      { numRuns: 1000 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("tuning tables give a table, or say what is wrong with it", async () => {
    const store = fileTuningStore(folder);
    const key = "adapter";
    const table: TuningTable = {
      format: 1,
      adapter: "a",
      version: "1",
      shaders: "s",
      choices: { "conv2d 3x3": { candidate: "direct", microseconds: { direct: 12.5, winograd: null } } },
    };
    await store.save(key, table);
    expect(await store.load(key)).toEqual(table);
    const [name] = (await readdir(folder)).filter((found) => found.startsWith("adapter"));
    const path = join(folder, name);
    const whole = JSON.stringify(table);
    const choices = objectText(["conv2d 3x3"]).map((text) => whole.replace(/"choices":.*\}$/, `"choices":${text}}`));
    await fc.assert(
      fc.asyncProperty(fc.oneof(choices, objectText(Object.keys(table)), fc.json(), damaged(whole)), async (text) => {
        await ends(
          path,
          text,
          () => store.load(key),
          (found) => {
            expect(found?.format).toBe(1);
            for (const { candidate, microseconds } of Object.values(found!.choices)) {
              expect(typeof candidate).toBe("string");
              for (const time of Object.values(microseconds)) expect(time === null || time >= 0).toBe(true);
            }
          },
        );
      }),
      { numRuns: 1000 },
    );
  });
});
