// A graph of operations: makers and readers of tensors, and topological order.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradients, scale, Tape, type Tensor } from "../../src/index.ts";
import { ancestors, Graph, type Node, type Operation, ordered } from "../../src/tape/graph.ts";
import { describedDevice } from "./describedDevice.ts";

const device = describedDevice();
const operation = (name: string): Operation => ({ name, lower: () => undefined });
const [a, b, c] = ["a", "b", "c"].map(operation);

/** A tape's record of chains of these operations. */
function recorded(record: (of: (operation: Operation, ...inputs: Tensor[]) => Tensor, x: Tensor) => Tensor[]) {
  const tape = new Tape(device);
  const x = tape.input("x", [2]);
  const asked = record((of, ...inputs) => tape.record(of, inputs, undefined, [2]), x);
  return { tape, x, asked, nodes: tape.nodes };
}

describe("makers and readers", () => {
  const { nodes, asked, x } = recorded((of, x) => {
    const [once, twice] = [of(a, x), of(a, x)];
    const [y, z] = [of(b, once), of(c, twice, twice)];
    return [of(b, y), of(c, y), z, of(c, x, z)];
  });
  const [ofOnce, ofTwice, ofY, ofZ] = nodes;
  const graph = new Graph(nodes, [asked[2]]);
  const output = ({ outputs }: Node) => outputs[0];

  test("the maker is the node of that operation", () => {
    expect(graph.maker(a, output(ofOnce))).toBe(ofOnce);
    expect(graph.maker(b, output(ofOnce))).toBeUndefined();
    expect(graph.maker(a, x)).toBeUndefined();
  });

  test("readers in their order, each once", () => {
    expect(graph.readersOf(output(ofY))).toEqual([nodes[4], nodes[5]]);
    expect(graph.readersOf(output(ofTwice))).toEqual([ofZ]);
    expect(graph.readersOf(asked[0])).toEqual([]);
  });

  test("a sole reader reads it as its first input only, and nothing outside reads it", () => {
    expect(graph.soleReader(output(ofOnce))).toBe(ofY);
    expect(graph.soleReader(output(ofY))).toBeUndefined(); // two readers
    expect(graph.soleReader(output(ofTwice))).toBeUndefined(); // twice in one
    expect(graph.soleReader(asked[2])).toBeUndefined(); // asked for
    expect(new Graph(nodes, []).soleReader(asked[2])).toBeUndefined(); // as a second input
    expect(graph.soleReader(asked[0])).toBeUndefined(); // none
    expect(new Graph(nodes, [output(ofOnce)]).soleReader(output(ofOnce))).toBeUndefined();
  });

  test("a sole maker's only reader is the asking node", () => {
    expect(graph.soleMaker(a, output(ofOnce))).toBe(ofOnce);
    expect(graph.soleMaker(b, output(ofOnce))).toBeUndefined();
    expect(graph.soleMaker(b, output(ofY))).toBeUndefined();
  });

  test("it is read if a node or the caller reads it", () => {
    expect(graph.isRead(output(ofOnce))).toBe(true);
    expect(graph.isRead(asked[2])).toBe(true);
    expect(graph.isRead(asked[0])).toBe(false);
  });
});

test("a request for gradients distinguishes its output from the tensors to differentiate by", () => {
  const tape = new Tape(device);
  const [x, seed] = [tape.input("x", [2]), tape.input("seed", [2])];
  const y = scale(x, 2);
  gradients(y, [x], seed);
  const graph = new Graph(tape.nodes, []);
  expect([x, y, seed].map((t) => graph.isDifferentiatedBy(t))).toEqual([true, false, false]);
  const itself = new Tape(device);
  const z = scale(itself.input("x", [1]), 2);
  gradients(z, [z]);
  expect(new Graph(itself.nodes, []).isDifferentiatedBy(z)).toBe(true);
});

/** Nodes that read some of those before them, and an order to give them in. */
const graphs = fc
  .array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { minLength: 1, maxLength: 30 })
  .chain((reads) => fc.tuple(fc.constant(reads), fc.shuffledSubarray([...reads.keys()], { minLength: reads.length })))
  .map(([reads, order]) => {
    const { nodes } = recorded((of, x) => {
      const made: Tensor[] = [x];
      for (const inputs of reads) made.push(of(a, ...inputs.map((i) => made[i % made.length])));
      return made;
    });
    return { nodes, shuffled: order.map((i) => nodes[i]) };
  });

const positions = (nodes: readonly Node[]) => new Map(nodes.flatMap((n, i) => n.outputs.map((t) => [t, i] as const)));

describe("ordered", () => {
  test("each node comes after those that it reads, and all are kept", () => {
    fc.assert(
      fc.property(graphs, ({ shuffled }) => {
        const result = ordered(shuffled);
        expect(new Set(result)).toEqual(new Set(shuffled));
        expect(result.length).toBe(shuffled.length);
        const at = positions(result);
        result.forEach((node, i) => {
          for (const input of node.inputs) expect(at.get(input) ?? -1).toBeLessThan(i);
        });
      }),
    );
  });

  test("a topological order is unchanged", () => {
    fc.assert(
      fc.property(graphs, ({ nodes, shuffled }) => {
        expect(ordered(nodes)).toEqual(nodes);
        const once = ordered(shuffled);
        expect(ordered(once)).toEqual(once);
      }),
    );
  });
});

test("ancestors are all nodes that a tensor depends on, and no others", () => {
  fc.assert(
    fc.property(graphs, fc.nat(), ({ nodes }, pick) => {
      const target = nodes[pick % nodes.length];
      const found = ancestors(nodes, target.outputs);
      const expected = new Set([target]);
      for (let size = 0; size !== expected.size; ) {
        size = expected.size;
        for (const n of nodes) {
          if ([...expected].some(({ inputs }) => inputs.includes(n.outputs[0]))) expected.add(n);
        }
      }
      expect(found).toEqual(expected);
    }),
  );
});
