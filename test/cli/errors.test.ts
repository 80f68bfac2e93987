// Every code of docs/errors.md, brought about and read as a user would read it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { printError } from "../../src/cli/outcome.ts";
import * as core from "../../src/index.ts";
import { diskError } from "../../src/node/files/diskError.ts";
import * as node from "../../src/node/index.ts";
import { loadPackage } from "../../src/node/packages.ts";
import { network, pairs } from "../gpu/smallRun.ts";

const docs = await readFile(resolve(import.meta.dirname, "../../docs/errors.md"), "utf8");

let device: core.Device;
let trainer: core.Trainer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-errors-"));
  device = await node.openDevice();
  trainer = await core.Trainer.create(device, network(), { batchSize: 3 });
});
afterAll(async () => {
  await trainer.dispose();
  device.dispose();
  await rm(folder, { recursive: true });
});

/** A program with one parameter, on a device of its own. */
async function program() {
  const own = await node.openDevice();
  const tape = new core.Tape(own);
  const w = tape.parameter("w", [4], { initial: 1 });
  return { own, compile: () => tape.compile({ loss: core.mean(w), optimizer: core.adam() }) };
}

/** The classes that docs/errors.md names for each code. */
const documented = new Map(
  [...docs.matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|/gm)].map(([, code, classes]) => [code, classes] as const),
);

const brought: Record<core.ErrorCode, [() => unknown, RegExp]> = {
  SHAPE: [
    () => core.conv2d(new core.Tape(device).input("x", [1, 4, 4, 3]), new core.Tape(device).input("f", [3, 3, 4, 8])),
    /^conv2d: "x" and "f" are on different tapes\.$/,
  ],
  BAD_INPUT: [() => core.adam({ beta1: 2 }), /^adam: beta1 is 2; expected \[0, 1\)\.$/],
  NO_ADAPTER: [
    () => core.openDevice({ gpu: { requestAdapter: async () => null } as unknown as GPU }),
    /^WebGPU found no adapter\. Update the graphics driver, or /,
  ],
  MISSING_PACKAGE: [
    () => loadPackage("sharp", "Decoding pictures in Node", () => import(`${folder}/sharp`)),
    /^Decoding pictures in Node needs the package "sharp", which does not load here \(.*\)\. Install it again .*npm install sharp$/,
  ],
  LIMIT: [
    () => {
      const tape = new core.Tape(device);
      const x = tape.input("pictures", [device.gpu.limits.maxStorageBufferBindingSize / 4 + 4]);
      return tape.compile({ outputs: { y: core.relu(x) } });
    },
    /"pictures" takes \d+ bytes; this adapter supports bindings of at most \d+\. Use a smaller batch or image\.$/,
  ],
  OUT_OF_MEMORY: [
    async () => {
      const { own, compile } = await program();
      own.gpu.popErrorScope = async () => ({ message: "no memory left" }) as GPUError;
      await compile();
    },
    /^compile: the GPU is out of memory: .* are needed on the device, .* could be allocated .*no memory left.*smaller batch/,
  ],
  SHADER: [
    () => device.kernels.pipeline({ name: "broken", code: "fn main( {}", bindings: {} }, {}),
    /^broken with \{\}: .*\n.*line 1: /s,
  ],
  DEVICE_LOST: [
    async () => {
      const { own, compile } = await program();
      const step = await compile();
      own.gpu.destroy();
      await step.run();
    },
    /^The GPU device was lost: .+\. Open a device again and load the last saved state\.$/,
  ],
  DISPOSED: [
    async () => {
      const { compile } = await program();
      const step = await compile();
      step.dispose();
      await step.run();
    },
    /^run: the program was disposed\.$/,
  ],
  NOT_FINITE: [
    async () => {
      await trainer.parameters().get("head/bias")!.write([Number.NaN]);
      await trainer.step(pairs(1));
    },
    /^the loss of step 1 is NaN; a smaller learning rate or gradient clipping may help; saved checkpoints are kept$/,
  ],
  CHECKPOINT_MISMATCH: [
    async () => {
      const other = core.siamese({ imageSize: [8, 8, 1], filters: [4], embedding: 5 });
      const trained = await core.Trainer.create(device, other, { batchSize: 1 });
      const saved = await trained.save();
      await trained.dispose();
      await trainer.load(saved);
    },
    /conv\/kernel.*\[3, 3, 1, 4\].*\[3, 3, 1, 3\]/,
  ],
  CORRUPT_FILE: [() => trainer.load(new Uint8Array(4)), /4 bytes is too short/],
  CORRUPT_RECORD: [
    async () => {
      const file = join(folder, "broken.tfrecord");
      await writeFile(file, Buffer.alloc(40, 7));
      await node.tfrecords(file);
    },
    /broken\.tfrecord.*(offset|byte) 0/,
  ],
  NOT_LIVE: [
    () => {
      const scorer = { imageSize: [1, 1, 1], threshold: 0.5, scores: async () => Float64Array.of(0.9, 0.25) } as const;
      return core.requireLive(scorer, new Uint8Array(2), { names: ["ada.jpg", "print.jpg"] });
    },
    /^print\.jpg: rejected as a presentation attack \(liveness score 0\.25; expected at least 0\.5\)$/,
  ],
  NO_FACE: [
    () =>
      core.faceDataset(
        {
          identities: ["ada"],
          items: [
            {
              identity: 0,
              name: "empty.jpg",
              decode: async () => new Uint8Array(3),
              stored: async () => ({ bytes: new Uint8Array(3), raw: [1, 1, 3] as const }),
            },
          ],
        },
        node.nodePictures,
        { finder: { name: "blind", find: async () => [] }, policy: { none: "fail" } },
      ),
    /^empty\.jpg: no face was found$/,
  ],
  DISK: [
    async () => {
      await node.diskFolder("/sys").write("kept", new Uint8Array(8)); // where nobody may make a file
    },
    /^\/sys\/kept: cannot be written: (EACCES|EPERM|EROFS|ENOENT)/,
  ],
};

it.each(core.errorCodes.map((code) => [code] as const))("%s", async (code) => {
  const [work, message] = brought[code];
  const error = await Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (thrown) => thrown,
    );
  expect(error).toBeInstanceOf(core.TwingradError);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(documented.get(code)).toContain(error.name);
});

it("docs/errors.md has each code, and no other", () => {
  expect([...documented.keys()].sort()).toEqual([...core.errorCodes].sort());
});

it.each([
  ["ENOSPC", "DISK", "full", "; free some space there"],
  ["EDQUOT", "DISK", "full", "; free some space there"],
  ["EROFS", "DISK", "denied", "; choose a writable place"],
  ["EACCES", "DISK", "denied", "; give this user the permission"],
  ["EBUSY", "DISK", "busy", "; close the program that has it open"],
  ["EIO", "DISK", "other", ""],
  ["ENOENT", "BAD_INPUT", "none", ""],
])("a system's %s is %s: %s", (system, code, reason, cure) => {
  const error = diskError("runs/log.csv", "written", Object.assign(new Error(`${system}: words`), { code: system }));
  expect(error).toMatchObject({ code, message: `runs/log.csv: cannot be written: ${system}: words${cure}` });
  expect(error instanceof core.DiskError ? error.reason : "none").toBe(reason);
});

it.each([
  ["runs", "read", "EISDIR", "runs: cannot be read: it is a folder; a file was expected"],
  ["runs", "made", "EEXIST", "runs: cannot be made: it is a file; choose a folder, or a new name"],
  ["", "read", "ENOENT", '"": cannot be read: the path is empty'],
])("a path %j that cannot be %s for %s", (path, what, system, message) => {
  const error = diskError(path, what, Object.assign(new Error(`${system}: words`), { code: system }));
  expect(error).toMatchObject({ code: "BAD_INPUT", message });
});

it("--json tells an error that nobody foresaw with the code null, in one line", () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  printError(new Error("a library's\n  own words"));
  const [[printed]] = write.mock.calls;
  write.mockRestore();
  expect(printed).toBe('{"error":{"code":null,"message":"a library\'s; own words"}}\n');
});
