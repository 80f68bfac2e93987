// Reverse-mode differentiation as a function from list to list.
import { describe, expect, test } from "vitest";
import { add, gradients, scale, scaleBytes, slice, sum, Tape, type Tensor } from "../../src/index.ts";
import { gradientRequest } from "../../src/tape/differentiate.ts";
import { differentiate, type Node, type Operation } from "../../src/tape/graph.ts";
import { describedDevice } from "./describedDevice.ts";

const device = describedDevice();
const lower = () => undefined;
const names = (nodes: readonly Node[]) => nodes.map(({ operation }) => operation.name);

/** An operation whose chain rule records one named after it and the input, and what was wanted of it. */
function traced(name: string, wants: boolean[][] = []): Operation {
  return {
    name,
    lower,
    gradient({ inputs }, arriving, wanted) {
      wants.push([...wanted]);
      return inputs.map((input, i) =>
        wanted[i] ? input.tape.record({ name: `${name}.${i}`, lower }, [arriving], undefined, input.shape) : undefined,
      );
    },
  };
}

function setup() {
  const tape = new Tape(device);
  const of = (operation: Operation, ...inputs: Tensor[]) => tape.record(operation, inputs, undefined, [2]);
  return { tape, of, x: tape.input("x", [2]), seed: tape.input("seed", [2]) };
}

/** The maker of a tensor in a list. */
const maker = (nodes: readonly Node[], tensor: Tensor) => nodes.find(({ outputs }) => outputs.includes(tensor))!;

describe("differentiate", () => {
  test("a graph without a request is unchanged", () => {
    const { tape, of, x } = setup();
    of(traced("f"), x);
    expect(differentiate(tape.nodes)).toEqual(tape.nodes);
  });

  test("a request is replaced, in its place, by the operations that compute its tensors", () => {
    const { tape, of, x, seed } = setup();
    const [gradient] = gradients(of(traced("g"), of(traced("f"), x)), [x], seed);
    of(traced("reader"), gradient);
    const nodes = differentiate(tape.nodes);
    expect(nodes.some(({ operation }) => operation === gradientRequest)).toBe(false);
    expect(names(nodes)).toEqual(["f", "g", "g.0", "f.0", "view", "reader"]);
    expect(maker(nodes, gradient)).toBe(nodes[4]);
    expect(nodes[2].inputs).toEqual([seed]);
  });

  test("a tensor with several uses gets the sum, added in the reverse order of use", () => {
    const { tape, of, x, seed } = setup();
    const [f, g, h] = ["f", "g", "h"].map((name) => of(traced(name), x));
    const [gradient] = gradients(of(traced("join"), f, g, h), [x], seed);
    const nodes = differentiate(tape.nodes);
    const last = maker(nodes, maker(nodes, gradient).inputs[0]);
    const inner = maker(nodes, last.inputs[0]);
    expect(names([last, inner])).toEqual(["add", "add"]);
    const contributions = [...inner.inputs, last.inputs[1]].map((t) => maker(nodes, t).operation.name);
    expect(contributions).toEqual(["h.0", "g.0", "f.0"]);
  });

  test("one input twice gets both of its gradients", () => {
    const { tape, of, x, seed } = setup();
    gradients(of(traced("f"), x, x), [x], seed);
    expect(names(differentiate(tape.nodes))).toEqual(["f", "f.0", "f.1", "add", "view"]);
  });

  test("a branch to unwanted tensors is not differentiated", () => {
    const { tape, of, x, seed } = setup();
    const other = tape.input("other", [2]);
    const wants: boolean[][] = [];
    const constant = of({ name: "no chain rule", lower }, other);
    const y = of(traced("join", wants), of(traced("f"), x), constant);
    of({ name: "behind", lower }, y);
    gradients(y, [x], seed);
    expect(names(differentiate(tape.nodes)).slice(4)).toEqual(["join.0", "f.0", "view"]);
    expect(wants).toEqual([[true, false]]);
  });

  test("an intermediate tensor has a gradient, and operations before it are not differentiated", () => {
    const { tape, of, x, seed } = setup();
    const middle = of({ name: "no chain rule", lower }, x);
    gradients(of(traced("f"), middle), [middle], seed);
    expect(names(differentiate(tape.nodes))).toEqual(["no chain rule", "f", "f.0", "view"]);
  });

  test("the gradient of a tensor with respect to itself is the output gradient", () => {
    const { tape, of, x, seed } = setup();
    const y = of(traced("f"), x);
    const [itself, ofX] = gradients(y, [y, x], seed);
    const nodes = differentiate(tape.nodes);
    expect(maker(nodes, itself).inputs).toEqual([seed]);
    expect(maker(nodes, maker(nodes, ofX).inputs[0]).operation.name).toBe("f.0");
  });

  test("without a path, the gradient is zero, in the tensor's shape", () => {
    const { tape, of, x, seed } = setup();
    const other = tape.input("other", [3, 2]);
    const [zero] = gradients(of(traced("f"), x), [other], seed);
    const [source] = maker(differentiate(tape.nodes), zero).inputs;
    expect([...source.source!.data!]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(zero.shape).toEqual([3, 2]);
  });

  test("a chain rule may request gradients itself, and gradients can be differentiated", () => {
    const { tape, of, x, seed } = setup();
    const inner = traced("inner");
    const outer: Operation = {
      name: "outer",
      lower,
      gradient: ({ inputs: [input] }, arriving) =>
        gradients(tape.record(inner, [input], undefined, [2]), [input], arriving),
    };
    gradients(of(outer, x), [x], seed);
    expect(names(differentiate(tape.nodes))).toEqual(["outer", "inner", "inner.0", "view", "view"]);

    const second = new Tape(device);
    const z = second.input("z", [2]);
    const [first] = gradients(sum(scale(z, 3)), [z]);
    gradients(sum(add(scale(z, 2), first)), [z]);
    const nodes = differentiate(second.nodes);
    expect(nodes.some(({ operation }) => operation === gradientRequest)).toBe(false);
  });

  test("an operation without a chain rule is refused by name", () => {
    const { tape, of, x, seed } = setup();
    gradients(of({ name: "histogram", lower }, of(traced("f"), x)), [x], seed);
    expect(() => differentiate(tape.nodes)).toThrow(
      "histogram: it has no gradient; request gradients of tensors after it only.",
    );
  });
});

describe("a request", () => {
  test("without an output gradient it takes a scalar", () => {
    const { x, seed } = setup();
    expect(() => gradients(x, [x])).toThrow("[2]; expected a scalar");
    expect(() => gradients(slice(x, 0, 1), [x], seed)).toThrow("expected [1]");
  });

  test("bytes have no gradient, nor do tensors computed from bytes alone", () => {
    const tape = new Tape(device);
    const bytes = tape.input("pixels", [4], { dtype: "u8" });
    const loss = sum(scaleBytes(bytes));
    expect(() => gradients(loss, [bytes])).toThrow('"pixels" holds u8; expected an f32 tensor');
    expect(() => gradients(loss, [tape.view(bytes, [2, 2])])).toThrow("holds u8");
  });
});
