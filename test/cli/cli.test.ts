// Wrong usage and failures of the command line, as its users meet it: built, in processes of its own.
import { mkdir, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { cliWithPeople, tiny } from "./cliPeople.ts";

const { data, at, picture, twingrad } = cliWithPeople("cli-test");

describe("usage", () => {
  it.each([[[]], [["train"]], [["evaluate"]], [["enroll"]], [["verify"]], [["identify"]], [["augment"]]])(
    "%j --help: 0",
    async (command) => {
      const { status, stdout } = await twingrad(...command, "--help");
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Usage: twingrad /);
    },
  );

  it.each<[string[], RegExp]>([
    [[], /Usage: twingrad/],
    [["paint"], /unknown command 'paint'/],
    [["train", "."], /required option '--out/],
    [["verify", "model", "a.png"], /missing required argument 'b'/],
    [["train", ".", "--out", "x", "--color"], /unknown option '--color'/],
    [["train", ".", "--out", "x", "--steps", "many"], /--steps.*Expected a number/],
    [["train", ".", "--out", "x", "--steps", "0"], /--steps: /],
    [["train", ".", "--out", "x", "--batch-size", "2.5"], /--batch-size: /],
    [["train", ".", "--out", "x", "--channels", "2"], /--channels: /],
    [["train", ".", "--out", "x", "--image-size", "1x2x3"], /--image-size.*112x92/],
    [["train", ".", "--out", "x", "--loss", "hinge"], /--loss: .*contrastive/],
    [["train", ".", "--out", "x", "--validation", "1"], /--validation: /],
    [
      ["train", ".", "--out", "x", "--balanced", "--same-probability", "1"],
      /--balanced cannot be combined with probabilities/,
    ],
    [["train", ".", "--out", "x", "--augment-preset", "much"], /--augment: got "much"; .*light, standard, strong/],
    [["train", ".", "--out", "x", "--resize", "cubic"], /--resize: .*area.*tf1/],
    [["augment", "a.png"], /required option '--out/],
    [["augment", "a.png", "--out", "x", "--count", "0"], /whole number of at least 1/],
    [["augment", "a.png", "--out", "x", "--augment-preset", "much"], /got "much"; expected .*light, standard, strong/],
    [["evaluate", "model", "data", "--one-shot", "1"], /whole number of at least 2/],
    [["identify", "model", "gallery", "a.png", "--threshold", "near"], /Expected a number/],
  ])("%j: 2", async (parameters, reason) => {
    const { status, stdout, stderr } = await twingrad(...parameters);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(reason);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("--json tells it on standard output as well", async () => {
    const { status, stdout, stderr } = await twingrad("train", data, "--out", "x", "--steps", "0", "--json");
    expect(status).toBe(2);
    const { error } = JSON.parse(stdout);
    expect(error).toEqual({ code: "BAD_INPUT", message: expect.stringMatching(/^--steps: /) });
    expect(stderr).toContain(error.message);
    const unknown = await twingrad("verify", "--json", "--color", "model", "a.png", "b.png");
    expect(unknown.status).toBe(2);
    expect(JSON.parse(unknown.stdout).error).toEqual({ code: "BAD_INPUT", message: "unknown option '--color'" });
  });

  it.each<[string, string, RegExp]>([
    ["an unknown key", '{"learnRate":1}', /learnRate/],
    ["a value of the wrong type", '{"steps":"7"}', /config\.json: steps: /],
    ["an invalid augmentation", '{"augment":{"rotation":400}}', /json: augment: Invalid rotation 400: .* -180 to 180/],
    ["no JSON", "steps=7", /config\.json: invalid JSON/],
  ])("a configuration with %s: 2", async (_, text, reason) => {
    await writeFile(at("config.json"), text);
    const { status, stderr } = await twingrad("train", data, "--out", at("x"), "--config", at("config.json"));
    expect(status).toBe(2);
    expect(stderr).toMatch(reason);
  });
});

describe("failures: 1, and one line", () => {
  it("--json prints the code and the message as the last line of standard output", async () => {
    const { status, stdout, stderr } = await twingrad("verify", at("nowhere"), "a.png", "b.png", "--json");
    expect(status).toBe(1);
    const message = `${at("nowhere")}: model not found`;
    expect(JSON.parse(stdout)).toEqual({ error: { code: "BAD_INPUT", message } });
    expect(stderr).toContain(`twingrad: ${message}\n`);
  });

  async function fails(...parameters: string[]): Promise<string> {
    const { status, stdout, stderr } = await twingrad(...parameters);
    const lines = stderr
      .split("\n")
      .filter((line) => line.startsWith("twingrad: ") && !line.includes("software adapter"));
    expect(status, stderr).toBe(1);
    expect(stdout).toBe("");
    expect(lines).toHaveLength(1);
    expect(stderr).not.toMatch(/^ +at /m);
    return lines[0];
  }

  it("data that are not there, or hold nothing", async () => {
    expect(await fails("train", at("none"), "--out", at("x"))).toContain(`${at("none")}: there is no such folder`);
    await writeFile(at("some.tfrecord"), "");
    expect(await fails("train", at("some.tfrecord"), "--out", at("x"))).toContain(
      "some.tfrecord: there are no records",
    );
    expect(await fails("evaluate", at("none"), data)).toContain(`${at("none")}: model not found`);
    expect(await fails("verify", at("none"), "a", "b")).toContain(`${at("none")}: model not found`);
  });

  it("a picture that cannot be decoded is named", async () => {
    for (const person of ["a", "b"]) {
      await mkdir(at("broken", person), { recursive: true });
      for (const number of [1, 2]) await writeFile(at("broken", person, `${number}.png`), "no picture");
    }
    const line = await fails("train", at("broken"), "--out", at("x"), ...tiny, "--validation", "0", "--steps", "1");
    expect(line).toMatch(/broken\/[ab]\/[12]\.png: /);
  });

  it("a file that is no model", async () => {
    await writeFile(at("foreign.safetensors"), Buffer.from("0200000000000000" + "7b7d", "hex"));
    expect(await fails("verify", at("foreign.safetensors"), picture(0, 0), picture(0, 1))).toContain(
      "was not saved by twingrad",
    );
    expect(await fails("verify", picture(0, 0), picture(0, 0), picture(0, 1))).toMatch(
      /0\.png: this is a PNG picture, not a safetensors file/,
    );
  });

  it("more people to hold out than there are", async () => {
    expect(await fails("train", data, "--out", at("x"), ...tiny, "--validation", "0.9")).toMatch(
      /Cannot hold out .*; use --validation 0 to hold out no identities/,
    );
  });
});
