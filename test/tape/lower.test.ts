// From operations to dispatches: storages and forms of tensors, and the order of launches.
import { describe, expect, test } from "vitest";
import scaleShader from "../../shaders/scale.forward.wgsl";
import { Tape, type Tensor } from "../../src/index.ts";
import type { Operation } from "../../src/tape/graph.ts";
import { type Form, Lowering } from "../../src/tape/lower.ts";
import { vec4Threads } from "../../src/tape/lowering/grid.ts";
import { Storage } from "../../src/tape/lowering/storage.ts";
import { describedDevice } from "./describedDevice.ts";

const device = describedDevice();

function launch(to: Lowering, x: Tensor | Storage, output: Tensor | Storage, factor = 1): void {
  const { groups, constants } = vec4Threads(4);
  to.launch(scaleShader, { x, output }, { ...constants, FACTOR: factor }, groups);
}

const factors = (to: Lowering) => to.launches.map(({ constants }) => constants.FACTOR);

function setup() {
  const tape = new Tape(device);
  const of = (operation: Operation, ...inputs: Tensor[]) => tape.record(operation, inputs, undefined, [4]);
  return { tape, of, x: tape.input("x", [4]), to: new Lowering(tape) };
}

/** Reads its input as an array. */
const reader: Operation = { name: "reader", lower: ({ inputs: [x], outputs: [y] }, to) => launch(to, x, y) };

describe("forms", () => {
  let written = 0;
  const negated: Form<Storage> = {
    name: "negated",
    written(to, tensor, value) {
      written++;
      const output = new Storage("temporary", tensor.name, tensor.size, "f32");
      launch(to, value, output, -1);
      return output;
    },
  };
  const maker: Operation = {
    name: "maker",
    lower: ({ inputs: [x], outputs: [y] }, to) => to.placeAs(negated, y, to.storage(x)),
  };
  const knowing: Operation = {
    name: "knowing",
    lower: ({ inputs: [x], outputs: [y] }, to) => launch(to, to.as(negated, x)!, y, 2),
  };

  test("a reader that knows the form reads it directly; for others it is converted once, at the first read", () => {
    const { tape, of, x, to } = setup();
    const y = of(maker, x);
    of(knowing, y);
    to.lower(tape.nodes, []);
    expect(factors(to)).toEqual([2]);
    expect(written).toBe(0);

    const [first, second] = [of(reader, y), of(reader, y)];
    const all = new Lowering(tape);
    all.lower(tape.nodes, [first, second]);
    expect(factors(all)).toEqual([2, -1, 1, 1]);
    expect(written).toBe(1);
    expect(all.launches.map(({ operation }) => operation)).toEqual(["knowing", "reader", "reader", "reader"]);
    expect(all.launches[2].bindings.x).toBe(all.launches[3].bindings.x);
  });

  test("a different form is not returned", () => {
    const { tape, of, x, to } = setup();
    const y = of(maker, x);
    to.lower(tape.nodes, []);
    expect(to.as({ name: "negated", written: negated.written } as Form<Storage>, y)).toBeUndefined();
    expect(to.as(negated, x)).toBeUndefined();
  });
});

test("an output is read by a node of the list, or from outside", () => {
  const seen: boolean[] = [];
  const asks: Operation = {
    name: "asks",
    lower({ inputs: [x], outputs: [y] }, to) {
      seen.push(to.isRead(y));
      launch(to, x, y);
    },
  };
  const { tape, of, x } = setup();
  const [read, asked] = [of(asks, x), of(asks, x)];
  of(asks, x);
  of(reader, read);
  new Lowering(tape).lower(tape.nodes, [asked]);
  expect(seen).toEqual([true, true, false]);
});

test("the prologue comes first, and contains the work gathered from the whole step", () => {
  const gathered: number[] = [];
  const gathers: Operation = {
    name: "gathers",
    lower({ inputs: [x], outputs: [y] }, to) {
      to.once("gathered", () => to.prologue.push(() => launch(to, x, to.temporary("all", [4]), gathered.length)));
      gathered.push(1);
      launch(to, x, y, 10 * gathered.length);
    },
  };
  const { tape, of, x, to } = setup();
  of(gathers, of(gathers, of(gathers, x)));
  to.lower(tape.nodes, []);
  to.finish();
  expect(factors(to)).toEqual([3, 10, 20, 30]);
  expect(to.launches.map(({ operation }) => operation)).toEqual(["prologue", "gathers", "gathers", "gathers"]);
});

test("a lowering's return value is available to later nodes, and missing before it", () => {
  const { tape, of, x, to } = setup();
  of({ name: "leaves", lower: () => 7 }, x);
  of({ name: "leaves nothing", lower: () => undefined }, x);
  to.lower(tape.nodes, []);
  expect(to.leftBy(tape.nodes[0])).toBe(7);
  expect(to.leftBy(tape.nodes[1])).toBeUndefined();
  expect(() => to.leftBy({ ...tape.nodes[0] })).toThrow("leaves");
});

test("a tensor that is read before it is computed is an error", () => {
  const { tape, of, x } = setup();
  of(reader, of(reader, x));
  const [first, second] = tape.nodes;
  expect(() => new Lowering(tape).lower([second, first], [])).toThrow('"reader" is read before it is computed');
});
