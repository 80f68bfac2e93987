// docs/engine.md against the engine: the output of `explain`, the table of dispatches, and the lines to read.
// UPDATE_DOCS=1 writes the computed parts into the page.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adam,
  add,
  dense,
  l2Penalty,
  relu,
  scaleBytes,
  siamese,
  sigmoidCrossEntropy,
  Tape,
  type Tensor,
} from "../../src/index.ts";
import { rules } from "../../src/ops/fused/rules.ts";
import { explain, graphOf } from "../../src/tape/explain.ts";
import { planProgram } from "../../src/tape/plan.ts";
import type { Rule } from "../../src/tape/rewrite.ts";
import { describedDevice } from "./describedDevice.ts";

const page = new URL("../../docs/engine.md", import.meta.url);
const text = () => readFileSync(page, "utf8");

/** The text between `<!-- NAME -->` and `<!-- /NAME -->`. */
function section(name: string, computed: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [before, rest] = text().split(start);
  if (process.env.UPDATE_DOCS) writeFileSync(page, `${before}${start}${computed}${end}${rest.split(end)[1]}`);
  return rest.split(end)[0];
}

function small(): string {
  const tape = new Tape(describedDevice());
  const x = tape.input("x", [8, 4]);
  const labels = tape.input("labels", [8]);
  const w1 = tape.parameter("w1", [4, 16], { initial: "glorot-uniform" });
  const w2 = tape.parameter("w2", [16, 1], { initial: "glorot-uniform" });
  const logits = dense(relu(dense(x, w1)), w2);
  const loss = add(sigmoidCrossEntropy(logits, labels), l2Penalty(w2, 0.01));
  return explain(graphOf(planProgram(tape, { loss, optimizer: adam() })));
}

/** A training step of configuration M on a software adapter. */
function stepOfM(unused: readonly Rule[] = []) {
  const tape = new Tape(describedDevice({ software: true }));
  const network = siamese({ imageSize: [56, 56, 3], filters: [64, 64, 64, 32], embedding: 1024, seed: 1 });
  const images = scaleBytes(tape.input("images", [8, 56, 56, 3], { dtype: "u8" }));
  const embeddings = network.tower(tape, images, { training: true, groups: 2 });
  const data = sigmoidCrossEntropy(network.head(tape, embeddings), tape.input("same", [4]));
  const loss = network.penalised(tape).reduce((sum: Tensor, w) => add(sum, l2Penalty(w, 0.1)), data);
  return graphOf(planProgram(tape, { loss, optimizer: adam() }, unused));
}

describe("docs/engine.md", () => {
  test("shows the output of explain for the small network", () => {
    const computed = `\`\`\`\n${small()}\n\`\`\``;
    expect(section("explain", computed)).toBe(computed);
  });

  test("counts the dispatches of a step by operation", () => {
    const { kernels } = stepOfM();
    const rows = new Map<string, Map<string, number>>();
    for (const { operation, kernel } of kernels) {
      const row = rows.get(operation) ?? new Map<string, number>();
      rows.set(operation, row.set(kernel, (row.get(kernel) ?? 0) + 1));
    }
    const total = (row: Map<string, number>) => [...row.values()].reduce((a, b) => a + b, 0);
    const computed = [
      "| operation | dispatches | kernels |",
      "|---|---|---|",
      ...[...rows].map(([operation, row]) => {
        const each = [...row].map(([kernel, n]) => `${n === 1 ? "" : `${n} `}\`${kernel}\``);
        return `| ${operation} | ${total(row)} | ${each.join(", ")} |`;
      }),
      `| together | ${kernels.length} | |`,
    ].join("\n");
    expect(section("dispatches", computed)).toBe(computed);
    expect(text()).toContain(`Without fusion the same step has ${stepOfM(rules).kernels.length}`);
    expect(text()).toContain(`Why a step has ${kernels.length} dispatches`);
  });

  test("names files that exist, of at most 3,500 lines in all", () => {
    const files = [
      ...new Set([...text().matchAll(/\]\(\.\.\/((?:src|shaders)\/[^)]+\.(?:ts|wgsl))\)/g)].map((m) => m[1])),
    ];
    // Examples of the API reference are for who calls the engine, not for who reads it.
    const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    const lines = files.map(
      (file) =>
        read(file)
          .replace(/^ *\* @example.*?(?= *\*\/)/gms, "")
          .split("\n").length - 1,
    );
    expect(files.length).toBeGreaterThan(30);
    expect(lines.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(3500);
    // The counts beside the names are a guide: they may be slightly out of date.
    for (const [, file, count] of text().matchAll(/\]\(\.\.\/([^)]+)\) \((\d+)\)/g)) {
      const actual = lines[files.indexOf(file)];
      expect(Math.abs(actual - Number(count)), `${file} has ${actual} lines`).toBeLessThanOrEqual(10 + 0.2 * actual);
    }
  });
});

describe("a program's graph", () => {
  const graphs = () => {
    const tape = new Tape(describedDevice());
    const w = tape.parameter("w", [4, 1], { initial: 1 });
    const loss = sigmoidCrossEntropy(dense(tape.input("x", [8, 4]), w), tape.input("labels", [8]));
    const plan = planProgram(tape, { loss, optimizer: adam({ clipNorm: 1 }) });
    return [{ graph: graphOf(plan), launches: plan.launches }, { graph: stepOfM() }];
  };

  test("names the operation of every launch", () => {
    for (const { graph } of graphs()) {
      const known = new Set([...graph.operations.map(({ operation }) => operation), "prologue", "update"]);
      expect(graph.kernels.filter(({ operation }) => !known.has(operation))).toEqual([]);
    }
  });

  test("has the launches of the program, in their order", () => {
    const [{ graph, launches }] = graphs();
    expect(graph.kernels.map(({ kernel }) => kernel)).toEqual(launches!.map(({ shader }) => shader.name));
    const printed = explain(graph);
    expect(printed).toContain(`Lowered: ${graph.kernels.length} dispatches`);
    const counts = [...printed.matchAll(/^ +(\d+) of /gm)].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(counts).toBe(graph.kernels.length);
  });

  test("has every temporary in a buffer, and no two at the same time in one", () => {
    const [{ graph, launches }] = graphs();
    const temporaries = launches!.flatMap(({ bindings }) => Object.values(bindings));
    const distinct = new Set(temporaries.map((s) => s.within?.whole ?? s).filter(({ kind }) => kind === "temporary"));
    expect(graph.buffers.flatMap(({ tensors }) => tensors).length).toBe(distinct.size);
    for (const { bytes, tensors } of [...graph.buffers, ...stepOfM().buffers]) {
      tensors.forEach((tensor, i) => {
        expect(tensor.bytes).toBeLessThanOrEqual(bytes);
        if (i > 0) expect(tensor.first).toBeGreaterThan(tensors[i - 1].last);
      });
    }
  });
});
