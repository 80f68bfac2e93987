// The rewriter with test rules; the product's rules are tested in test/gpu/engine/rules/.
import { describe, expect, test } from "vitest";
import { Tape, type Tensor } from "../../src/index.ts";
import type { Node, Operation } from "../../src/tape/graph.ts";
import { type Rule, rewrite, withoutUnread } from "../../src/tape/rewrite.ts";
import { describedDevice } from "./describedDevice.ts";

const device = describedDevice();
const lower = () => undefined;
const names = (nodes: readonly Node[]) => nodes.map(({ operation }) => operation.name);

/** A rule that replaces a node and its only reader by one operation. */
const joins = (name: string, first: Operation, second: Operation, by: Operation, more: Partial<Rule> = {}): Rule => ({
  name,
  saves: "a dispatch",
  match(node, graph) {
    const reader = node.operation === first ? graph.soleReader(node.outputs[0]) : undefined;
    if (reader?.operation !== second) return undefined;
    return { nodes: [node, reader], by: [{ ...node, operation: by, outputs: reader.outputs }] };
  },
  ...more,
});

function chain(...operations: readonly Operation[]): { nodes: readonly Node[]; asked: Tensor[]; made: Tensor[] } {
  const tape = new Tape(device);
  const made = [tape.input("x", [2])];
  for (const operation of operations) made.push(tape.record(operation, [made[made.length - 1]], undefined, [2]));
  return { nodes: tape.nodes, asked: [made[made.length - 1]], made };
}

describe("rewrite", () => {
  const [second, third]: Operation[] = ["second", "third"].map((name) => ({ name, lower }));
  const joined: Operation & { rules: Rule[] } = { name: "joined", lower, rules: [] };
  const first: Operation & { rules: Rule[] } = { name: "first", lower, rules: [] };
  const join = joins("join", first, second, joined);

  test("without a match, the same nodes are returned", () => {
    first.rules = [join];
    const { nodes, asked } = chain(second, first, third);
    const result = rewrite(nodes, asked, "recorded");
    expect(result.rewrites).toEqual([]);
    expect(result.nodes.every((node, i) => node === nodes[i])).toBe(true);
  });

  test("the result of a rule is matched again, until nothing matches", () => {
    first.rules = [join];
    joined.rules = [joins("again", joined, second, joined)];
    const { nodes, asked } = chain(third, first, second, second, second, third);
    const { nodes: result, rewrites } = rewrite(nodes, asked, "recorded");
    expect(names(result)).toEqual(["third", "joined", "third"]);
    expect(rewrites.map(({ rule }) => rule.name)).toEqual(["join", "again", "again"]);
    expect(result[1].outputs).toBe(nodes[4].outputs);
    joined.rules = [];
  });

  test("of two matching rules the operation's first is used, and the last node is tried first", () => {
    const other: Operation = { name: "other", lower };
    first.rules = [joins("preferred", first, second, other), join];
    const one = chain(first, second);
    expect(rewrite(one.nodes, one.asked, "recorded").rewrites.map(({ rule }) => rule.name)).toEqual(["preferred"]);

    first.rules = [joins("behind itself", first, first, joined)];
    const three = chain(first, first, first);
    expect(names(rewrite(three.nodes, three.asked, "recorded").nodes)).toEqual(["first", "joined"]);
  });

  test("nothing is fused across a requested tensor", () => {
    first.rules = [join];
    const { nodes, asked, made } = chain(first, second);
    expect(rewrite(nodes, [...asked, made[1]], "recorded").rewrites).toEqual([]);
  });

  test("a rule belongs to one stage, and can be skipped", () => {
    const late = joins("late", first, second, joined, { graph: "differentiated" });
    first.rules = [late];
    const { nodes, asked } = chain(first, second);
    expect(rewrite(nodes, asked, "recorded").rewrites).toEqual([]);
    expect(rewrite(nodes, asked, "differentiated").rewrites.length).toBe(1);
    expect(rewrite(nodes, asked, "differentiated", [late]).rewrites).toEqual([]);
  });

  test("nodes between the fused ones that they read come first", () => {
    const tape = new Tape(device);
    const of = (operation: Operation, ...inputs: Tensor[]) => tape.record(operation, inputs, undefined, [2]);
    first.rules = [
      joins("with the second input", first, second, joined, {
        match(node, graph) {
          const reader = graph.soleReader(node.outputs[0]);
          if (reader?.operation !== second) return undefined;
          const inputs = [...node.inputs, reader.inputs[1]];
          return { nodes: [node, reader], by: [{ ...node, operation: joined, inputs, outputs: reader.outputs }] };
        },
      }),
    ];
    const x = tape.input("x", [2]);
    const y = of(first, x);
    const between = of(third, x);
    const z = of(second, y, between);
    const { nodes } = rewrite(tape.nodes, [z], "recorded");
    expect(names(nodes)).toEqual(["third", "joined"]);
  });
});

describe("withoutUnread", () => {
  const plain: Operation = { name: "plain", lower };
  const lasting: Operation = { name: "lasting", lower, lasting: () => true };

  test("unused nodes are removed, with the nodes that only they need", () => {
    const { nodes, made } = chain(plain, plain, plain);
    expect(withoutUnread(nodes, [made[2]], false)).toEqual(nodes.slice(0, 2));
    expect(withoutUnread(nodes, [], false)).toEqual([]);
  });

  test("nodes that change lasting state stay, with their inputs, unless frozen", () => {
    const { nodes, made } = chain(plain, lasting, plain);
    expect(withoutUnread(nodes, [], false)).toEqual(nodes.slice(0, 2));
    expect(withoutUnread(nodes, [], true)).toEqual([]);
    expect(withoutUnread(nodes, [made[3]], true)).toEqual(nodes);
  });
});
