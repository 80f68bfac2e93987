// The tuner: when it times kernels, its use of a table, and invalid tables, which are never fatal.

import addShader from "../../../shaders/add.forward.wgsl";
import type { Shader } from "../../../src/gpu/shader.ts";
import type { Choice } from "../../../src/gpu/tunerTable.ts";
import { fastest } from "../../../src/gpu/tunerTiming.ts";
import {
  adam,
  batchNorm,
  centralDifference,
  conv2d,
  type Device,
  dense,
  flatten,
  gradients,
  maxPool2d,
  openDevice,
  siamese,
  Tape,
  Trainer,
  type TuningOptions,
  type TuningStore,
  type TuningTable,
} from "../../../src/index.ts";
import { Lowering } from "../../../src/tape/lower.ts";
import { type Candidate, choose } from "../../../src/tape/lowering/choose.ts";
import { vec4Threads } from "../../../src/tape/lowering/grid.ts";
import { lowerTape } from "../../../src/tape/plan.ts";
import type { Tensor } from "../../../src/tape/tensor.ts";
import { countCalls } from "../calls.ts";
import {
  assert,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  defineOnce,
  settings,
} from "../suite.ts";
import { deviceAs, kinds, portableDevice } from "../variants.ts";

/** Keeps one table in memory, under any key. */
class Memory implements TuningStore {
  table?: TuningTable;
  saved = 0;
  async load() {
    return this.table;
  }
  async save(_: string, table: TuningTable) {
    this.saved++;
    this.table = structuredClone(table);
  }
}

interface Opened {
  device: Device;
  warnings: string[];
}

async function open(tuning: TuningOptions, gpu = settings.opening.gpu): Promise<Opened> {
  const warnings: string[] = [];
  const device = await openDevice({ gpu, tuning: { warn: (text) => warnings.push(text), ...tuning } });
  return { device, warnings };
}

/** Opens a device for `work` and disposes of it. */
async function opened<T>(tuning: TuningOptions, work: (opened: Opened) => Promise<T>, gpu?: GPU): Promise<T> {
  const found = await open(tuning, gpu ?? settings.opening.gpu);
  try {
    return await work(found);
  } finally {
    found.device.dispose();
  }
}

const network = () => siamese({ imageSize: [4, 4, 16], filters: [16], embedding: 4, seed: 3 });

async function trained(device: Device) {
  const trainer = await Trainer.create(device, network(), { batchSize: 2, l2: 0.1, optimizer: adam() });
  const left = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i) ** 2);
  const right = left.map((v) => 1 - v);
  for (let n = 0; n < 2; n++) await trainer.step({ left, right, leftLabels: [0, 1], rightLabels: [0, 2] });
  const weights = await trainer.parameters().get("tower/block1/conv/kernel")!.read();
  const launches = (await trainer.launches()).map(({ kernel }) => kernel);
  await trainer.dispose();
  return { weights, launches };
}

define("tuner: a second start with the table times nothing, and computes the same bits", async () => {
  const store = new Memory();
  let open = 0;
  const first = await opened({ store, onTiming: (count) => (open = count) }, async ({ device, warnings }) => {
    const { buffers } = device.live();
    const result = await trained(device);
    assert(device.tuner.timed > 8, `only ${device.tuner.timed} candidates were timed`);
    assertEqual("warnings", warnings, []);
    assertEqual("buffers left behind", device.live().buffers, buffers);
    return result;
  });
  assert(open > 0, "onTiming was not called");
  const { choices } = store.table!;
  const { saved } = store;
  assert(
    Object.keys(choices).some((key) => key.startsWith("block.gradients")),
    `no block in ${Object.keys(choices)}`,
  );
  for (const [key, { candidate, microseconds }] of Object.entries(choices)) {
    assert(
      candidate in microseconds && Object.keys(microseconds).length > 1,
      `${key}: ${JSON.stringify(microseconds)}`,
    );
    assert(
      Object.values(microseconds).every((time) => time !== null && time >= 0),
      `${key}: ${microseconds}`,
    );
  }
  const again = await opened({ store }, async ({ device }) => {
    let result: Awaited<ReturnType<typeof trained>>;
    const calls = await countCalls(device, async () => {
      result = await trained(device);
    });
    assertEqual("candidates timed at the second start", device.tuner.timed, 0);
    assertEqual("query sets made at the second start", calls.createQuerySet ?? 0, 0);
    return result!;
  });
  assertEqual("saved by the second start", store.saved - saved, 0);
  assertEqual("launches", again.launches, first.launches);
  assertSameBits("weights after two steps", again.weights, first.weights);
});

defineOnce("tuner: nothing is timed without tuning, or with time: false", async (device) => {
  await trained(device);
  assertEqual("by default", device.tuner.timed, 0);
  await opened({ store: new Memory(), time: false }, async ({ device }) => {
    await trained(device);
    assertEqual("with time: false", device.tuner.timed, 0);
  });
});

/** Records a sum of two tensors with these candidates; `launched` lists those that ran. */
function sumBy(
  device: Device,
  names: readonly string[],
  options: Partial<Record<string, Partial<Candidate<Tensor>>>> = {},
) {
  const launched: string[] = [];
  const record = () => {
    const tape = new Tape(device);
    const to = new Lowering(tape);
    const [a, b] = ["a", "b"].map((name) => tape.input(name, [64]));
    const { groups, constants } = vec4Threads(64);
    const candidate = (name: string): [string, Candidate<Tensor>] => {
      const launch = () => {
        launched.push(name);
        const output = to.temporary("sum", [64]);
        to.launch(addShader, { a, b, output }, constants, groups);
        return output;
      };
      return [name, { launch, ...options[name], ...(name === names[0] && { portable: true }) }];
    };
    return choose(to, "sum", Object.fromEntries(names.map(candidate)));
  };
  return { record, launched };
}

/** A choice as stored in a table. */
const kept = (names: readonly string[], best: string): Choice => ({
  candidate: best,
  microseconds: Object.fromEntries(names.map((name) => [name, name === best ? 1 : 2])),
  differences: Object.fromEntries(names.map((name) => [name, 0])),
});

defineOnce("tuner: a stored choice is used, one among other candidates is timed again", async (plain) => {
  const names = ["first", "second", "third"];
  const store = new Memory();
  const choices = { sum: kept(names, "second") };
  store.table = { ...plain.tuner.table(), choices };
  await opened({ store }, async ({ device }) => {
    const { record, launched } = sumBy(device, names);
    await device.tuner.tune(record);
    launched.length = 0;
    record();
    assertEqual("launched", launched, ["second"]);
    assertEqual("timed", device.tuner.timed, 0);
    const more = sumBy(device, [...names, "fourth"]);
    await device.tuner.tune(more.record);
    assertEqual("timed with a fourth candidate", device.tuner.timed, 4);
    const fewer = sumBy(device, ["first", "third"]);
    await device.tuner.tune(fewer.record);
    assertEqual("timed without the one taken", device.tuner.timed, 6);
  });
});

defineOnce(
  "tuner: tables of another adapter, version, kernel digest or format are ignored with a warning",
  async (plain) => {
    const fits: TuningTable = {
      ...plain.tuner.table(),
      choices: { sum: kept(["a", "b"], "b") },
    };
    const others = { adapter: "another", version: "0.0.0", shaders: "0123456789abcdef", format: 1 };
    for (const [name, value] of Object.entries(others)) {
      const store = new Memory();
      store.table = { ...fits, [name]: value } as TuningTable;
      await opened({ store }, async ({ device, warnings }) => {
        assertEqual(`${name}: choice`, device.tuner.choice("sum", ["a", "b"], "a"), undefined);
        assert(warnings.length === 1 && warnings[0].includes("Ignored"), `${name}: ${warnings}`);
        await device.tuner.tune(sumBy(device, ["a", "b"]).record);
        assertEqual(`${name}: timed`, device.tuner.timed, 2);
        assertEqual(
          `${name}: the table then kept`,
          store.table![name as keyof TuningTable],
          fits[name as keyof TuningTable],
        );
      });
    }
    const store = new Memory();
    store.table = fits;
    await opened({ store }, async ({ device, warnings }) => {
      assertEqual("its own: choice", device.tuner.choice("sum", ["a", "b"], "a"), "b");
      assertEqual("its own: warnings", warnings, []);
    });
  },
);

defineOnce("tuner: a failing store causes a warning, and tuning continues", async () => {
  const store: TuningStore = {
    load: () => Promise.reject(new Error("no entry")),
    save: () => Promise.reject(new Error("disk full")),
  };
  await opened({ store }, async ({ device, warnings }) => {
    const { record } = sumBy(device, ["a", "b"]);
    await device.tuner.tune(record);
    assertEqual("timed", device.tuner.timed, 2);
    assertEqual("warnings", warnings.length, 2);
    assert(warnings[0].includes("no entry") && warnings[1].includes("disk full"), warnings.join("; "));
  });
});

defineOnce("tuner: it merges with a table that changed meanwhile", async (plain) => {
  const store = new Memory();
  await opened({ store }, async ({ device }) => {
    const choices = { other: kept(["x", "y"], "x") };
    store.table = { ...plain.tuner.table(), choices };
    await device.tuner.tune(sumBy(device, ["a", "b"]).record);
    assertEqual("keys", Object.keys(store.table!.choices).sort(), ["other", "sum"]);
  });
});

const wrongs: Record<string, { change: (code: string) => string; told: string }> = {
  "one element too large by a hundredth": {
    change: (code) =>
      code.replace("a[i] + b[i]", "(a[i] + b[i]) * select(vec4f(1.0), vec4f(1.0, 1.01, 1.0, 1.0), i == 700u)"),
    told: "1 of 4096 values differ",
  },
  "NaN in one element": {
    change: (code) => code.replace("a[i] + b[i]", "a[i] + b[i] + vec4f(0.0, 0.0, sqrt(-f32(i == 3u)), 0.0)"),
    told: "1 of 4096 values are not finite",
  },
  "the last elements unwritten": {
    change: (code) => code.replace("output[i] =", "if (i < 1023u) { output[i] =").replace("b[i];", "b[i]; }"),
    told: "4 of 4096 values are not finite or not written",
  },
  "the operands exchanged for one": {
    change: (code) => code.replace("a[i] + b[i]", "a[i] + a[i]"),
    told: "of 4096 values differ",
  },
  "no WGSL": { change: (code) => `${code}\nfn oops(`, told: "does not run" },
};

define(
  "tuner: an incorrect kernel is never used, is reported with its adapter, and is not tried again",
  async (plain) => {
    let planted = 0;
    for (const [name, { change, told }] of Object.entries(wrongs)) {
      const code = change(addShader.code);
      assert(code !== addShader.code, `${name}: the kernel was not changed`);
      // The correct kernel's name, so that a host of portable kernels lets it run; the tunable distinguishes the two.
      const wrong: Shader = { ...addShader, code };
      const variant = { VARIANT: ++planted };
      const { groups, constants } = vec4Threads(4096);
      const record = (device: Device) => () => {
        const tape = new Tape(device);
        const to = new Lowering(tape);
        const [a, b] = ["a", "b"].map((of) => tape.input(of, [4096]));
        const output = to.temporary("sum", [4096]);
        const launch = (shader: Shader, tunables: object) =>
          to.launch(shader, { a, b, output }, constants, groups, tunables);
        choose(to, "sum", {
          wrong: { launch: () => launch(wrong, variant) }, // the rules choose it
          sound: { portable: true, launch: () => launch(addShader, {}) },
        });
        return to.launches[0].choice!.taken;
      };
      const store = new Memory();
      const tables: Record<string, Choice | undefined> = {
        none: undefined,
        "one that names it": kept(["wrong", "sound"], "wrong"),
        "one of before candidates were compared": kept(["wrong", "sound"], "wrong"),
      };
      delete (tables["one that names it"] as { differences?: unknown }).differences;
      for (const [table, choice] of Object.entries(tables)) {
        const format = table.startsWith("one of before") ? 1 : 2;
        store.table = choice && { ...plain.tuner.table(), format, choices: { sum: choice } };
        await opened({ store }, async ({ device, warnings }) => {
          await device.tuner.tune(record(device));
          assertEqual(`${name}, table: ${table}: taken`, record(device)(), "sound");
          const about = warnings.filter((text) => !text.includes("Ignored"));
          assertEqual(`${name}, table: ${table}: warnings`, about.length, 1);
          for (const part of ['"wrong"', "for sum:", told, device.tuner.table().adapter]) {
            assert(about[0].includes(part), `${name}: the warning lacks ${part}: ${about[0]}`);
          }
        });
      }
      const { candidate, microseconds, refused } = store.table!.choices.sum;
      assertEqual(`${name}: kept`, [candidate, microseconds.wrong, Object.keys(refused!)], ["sound", null, ["wrong"]]);
      for (const time of [true, false]) {
        await opened({ store, time }, async ({ device, warnings }) => {
          await device.tuner.tune(record(device));
          assertEqual(`${name}, the next start: taken`, record(device)(), "sound");
          assertEqual(`${name}, the next start: timed`, device.tuner.timed, 0);
          assertEqual(`${name}, the next start: warnings`, warnings, []);
        });
      }
    }
  },
);

/**
 * Choices for a second block, with a picture that its cells do not fill, and all its gradients.
 * @param changed its filter, from the parameter.
 */
async function tuneBlock(device: Device, storage: "float32" | "float16", changed = (filter: Tensor) => filter) {
  await device.tuner.tune(() => {
    const tape = new Tape(device, { storage });
    const block = (x: Tensor, channels: number) => {
      const filter = changed(tape.parameter(`filter ${channels}`, [3, 3, channels, 16], { initial: 1 }));
      const [gamma, beta] = ["gamma", "beta"].map((of) => tape.parameter(`${of} ${channels}`, [16], { initial: 1 }));
      return batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta, activation: "relu" });
    };
    const x = tape.input("x", [2, 13, 11, 3]);
    const y = block(block(x, 3), 16);
    const found = gradients(y, [...tape.parameters.values()], tape.input("gradient", y.shape));
    lowerTape(tape, { outputs: Object.fromEntries([y, ...found].map((tensor, n) => [`${n}`, tensor])) });
    tape.store.dispose();
  });
  const choices = Object.entries(device.tuner.table().choices).filter(([key]) => key.includes("x=6,5,16"));
  return new Map(choices);
}

defineKernel("tuner: Winograd's algorithm is compared with the direct one, and agrees with it", async () => {
  await opened({}, async ({ device, warnings }) => {
    for (const storage of ["float32", "float16"] as const) {
      const choices = await tuneBlock(device, storage);
      for (const [key, { differences }] of choices) {
        const found = differences!.winograd!;
        assert(found < 0.5, `${storage}, ${key}: Winograd's difference is ${found} tolerances`);
        // With the same bits, one would have been compared with itself; in float16 both may round to them.
        assert(found > 0 || storage === "float16", `${key}: Winograd's difference is ${found}`);
      }
      assertEqual(`${storage}: choices`, choices.size, storage === "float32" ? 2 : 4);
    }
    assertEqual("warnings", warnings, []);
  });
});

defineKernel("tuner: Winograd's algorithm agrees for a filter that the step computes, by rule or not", async () => {
  for (const kind of kinds) {
    await opened({}, async ({ device: plain, warnings }) => {
      const device = deviceAs(plain, kind);
      device.tuner = plain.tuner;
      const choices = await tuneBlock(device, "float32", (filter) => centralDifference(filter, 1));
      for (const [key, { differences, refused }] of choices) {
        const found = differences!.winograd!;
        assert(found > 0 && found < 0.5, `${key} as on ${kind}: ${found} tolerances, ${JSON.stringify(refused)}`);
      }
      assertEqual("choices", choices.size, 2);
      assertEqual("warnings", warnings, []);
    });
  }
});

define("tuner: an incorrect filter transform in the prologue is reported for the candidate that reads it", async () => {
  await opened({}, async ({ device, warnings }) => {
    const { kernels } = device;
    const pipeline = kernels.pipeline.bind(kernels);
    kernels.pipeline = (shader, ...rest) => {
      const code = shader.code.replace("(y - s) / 3.0", "(y - s) / 3.1");
      return pipeline(shader.name === "winograd.filter" ? { ...shader, code } : shader, ...rest);
    };
    const choices = await tuneBlock(device, "float32");
    for (const [key, { candidate, refused }] of choices) {
      assert(candidate !== "winograd" && refused?.winograd !== undefined, `${key}: ${candidate} was taken`);
    }
    assert(choices.size === 2 && warnings.length === 2, `${choices.size} choices, warnings: ${warnings.join("; ")}`);
  });
});

define("tuner: a candidate that the GPU refuses is skipped with a warning, and the rest are timed", async () => {
  const store = new Memory();
  await opened({ store }, async ({ device, warnings }) => {
    const tooMany = device.gpu.limits.maxComputeWorkgroupsPerDimension + 1;
    const record = () => {
      const tape = new Tape(device);
      const to = new Lowering(tape);
      const [a, b] = ["a", "b"].map((name) => tape.input(name, [64]));
      const output = to.temporary("sum", [64]);
      const { groups, constants } = vec4Threads(64);
      const launch = (n: number) => to.launch(addShader, { a, b, output }, constants, [n]);
      choose(to, "sum", {
        broken: { launch: () => launch(tooMany) },
        sound: { portable: true, launch: () => launch(groups[0]) },
      });
    };
    await device.tuner.tune(record);
    const { candidate, microseconds } = store.table!.choices.sum;
    assertEqual("taken", candidate, "sound");
    assertEqual("time of the broken one", microseconds.broken, null);
    assert(warnings.length === 1 && warnings[0].includes("broken"), `warnings: ${warnings}`);
  });
});

defineOnce("tuner: after the budget is spent the rules choose, and untimed choices are not stored", async () => {
  const store = new Memory();
  await opened({ store, budget: 0 }, async ({ device, warnings }) => {
    const { record, launched } = sumBy(device, ["a", "b"], { a: { preferred: false } });
    await device.tuner.tune(record);
    launched.length = 0;
    record();
    assertEqual("launched", launched, ["b"]);
    assertEqual("timed", device.tuner.timed, 0);
    assert(warnings.length === 1 && warnings[0].includes("1 choice"), `warnings: ${warnings}`);
    assertEqual("saved", store.saved, 0);
  });
});

defineOnce("tuner: a candidate with its own choices is timed after those are decided", async () => {
  await opened({}, async ({ device, warnings }) => {
    const order: string[] = [];
    const record = () => {
      const tape = new Tape(device);
      const to = new Lowering(tape);
      const [a, b] = ["a", "b"].map((name) => tape.input(name, [64]));
      const { groups, constants } = vec4Threads(64);
      const launch = () => {
        const output = to.temporary("sum", [64]);
        to.launch(addShader, { a, b, output }, constants, groups);
        return output;
      };
      const inner = () => choose(to, "inner", { one: { portable: true, launch }, two: { launch } });
      const known = device.tuner.choice("inner", ["one", "two"], "one") !== undefined;
      choose(to, "outer", {
        nested: {
          launch() {
            order.push(known ? "inner known" : "inner open");
            return inner();
          },
        },
        plain: { portable: true, launch },
      });
    };
    await device.tuner.tune(record);
    assertEqual("keys", Object.keys(device.tuner.table().choices), ["inner", "outer"]);
    assertEqual("timed", device.tuner.timed, 4);
    assert(order[0] === "inner open" && order.at(-1) === "inner known", order.join(", "));
    assertEqual("warnings", warnings, []);
  });
});

define("tuner: without timestamps it uses the host's clock", async () => {
  const gpu = settings.opening.gpu ?? navigator.gpu;
  const hidden: unknown = {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      const { limits, info } = adapter!;
      const features = new Set([...adapter!.features].filter((feature) => feature !== "timestamp-query"));
      return { limits, info, features, requestDevice: (wanted: GPUDeviceDescriptor) => adapter!.requestDevice(wanted) };
    },
  };
  await opened(
    {},
    async ({ device, warnings }) => {
      assert(!device.gpu.features.has("timestamp-query"), "the device has timestamps after all");
      await device.tuner.tune(sumBy(device, ["a", "b"]).record);
      const { sum } = device.tuner.table().choices;
      assert(
        Object.values(sum.microseconds).every((time) => time! > 0),
        JSON.stringify(sum),
      );
      assertEqual("warnings", warnings, []);
    },
    hidden as GPU,
  );
});

defineOnce("tuner: two programs compiled at once time each choice once", async () => {
  await opened({}, async ({ device }) => {
    const one = sumBy(device, ["a", "b"]);
    const other = sumBy(device, ["a", "b"]);
    await Promise.all([device.tuner.tune(one.record), device.tuner.tune(other.record)]);
    assertEqual("timed", device.tuner.timed, 2);
  });
});

defineOnce("tuner: the rule's candidate is kept unless another is faster by more than noise", async () => {
  const times = (a: number, b: number) =>
    new Map([
      ["a", a],
      ["b", b],
    ]);
  assertEqual("3 % faster", fastest(times(100, 97), "a"), "a");
  assertEqual("8 % faster", fastest(times(100, 92), "a"), "b");
  assertEqual("the rule's own is fastest", fastest(times(90, 100), "a"), "a");
  assertEqual("the rule's own failed", fastest(new Map([["b", 5]]), "a"), "b");
});

defineOnce("tuner: launches name the choice that they are a part of", async (device) => {
  const tape = new Tape(device);
  const x = tape.input("x", [4, 8]);
  const program = await tape.compile({ outputs: { y: dense(x, tape.parameter("w", [8, 4], { initial: 1 })) } });
  assertEqual("part", program.launches[0].part, "product batch=1 rows=4 inputs=8 outputs=4");
  program.dispose();
});

defineOnce("portable kernels: only they are used, whatever the rules, the table and the adapter say", async (plain) => {
  for (const kind of kinds) {
    const device = portableDevice(deviceAs(plain, kind));
    const { record, launched } = sumBy(device, ["a", "b"], { a: { fits: false, preferred: false } });
    device.tuner.choice = () => "b";
    record();
    assertEqual(`launched as on ${kind}`, launched, ["a"]);
    const tape = new Tape(device);
    const x = tape.input("x", [2, 6, 6, 16]);
    const filter = tape.parameter("filter", [3, 3, 16, 16], { initial: 1 });
    const y = dense(flatten(maxPool2d(conv2d(x, filter))), tape.parameter("w", [144, 4], { initial: 1 }));
    const program = await tape.compile({ outputs: { y } });
    const choices = program.graph.kernels.map(
      ({ choice }) => choice && [choice.taken, choice.why, ...choice.candidates],
    );
    const portable = ["tiled", "single", "tiled"].map((name) => [name, "portable", name]);
    assertEqual(`choices as on ${kind}`, choices, portable);
    assert(program.explain().includes("single, the portable kernel (of single): maxPool2d.forward"), program.explain());
    program.dispose();
  }
});

defineOnce("portable kernels: a choice without one, or with two, is refused", async (device) => {
  for (const [what, portable] of [
    ["0 portable candidates", [undefined, undefined]],
    ["2 portable candidates", [true, true]],
  ] as const) {
    const to = new Lowering(new Tape(device));
    const launch = () => {};
    const candidates = { a: { portable: portable[0], launch }, b: { portable: portable[1], launch } };
    await assertThrows(what, () => choose(to, "sum", candidates), ["sum", what]);
  }
});

define("errors: an invalid kernels option", () =>
  assertThrows("openDevice", () => openDevice({ ...settings.opening, kernels: "fast" as "portable" }), [
    'kernels is "fast"',
    '"portable"',
  ]),
);
