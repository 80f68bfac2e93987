// The published types, without skipLibCheck, as programs of different settings see them.
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { addSources, libraryAlone, libraryInNode } from "./support/installed.ts";
import { complaints, settings } from "./support/typeScript.ts";

const root = path.resolve(import.meta.dirname, "../..");
const { NodeNext, Bundler } = settings;
let alone: string;
let inNode: string; // with webgpu, which brings @webgpu/types

beforeAll(async () => {
  [alone, inNode] = await Promise.all([libraryAlone(), libraryInNode()]);
  await Promise.all([alone, inNode].map(addSources));
}, 300_000);

const filesIn = (folder: string, programs: string[]) =>
  programs.map((name) => path.join(folder, "types", `${name}.ts`));
const all = ["recognition", "training", "visit", "worker", "service", "recovery", "identity", "alone", "gradients"];

it.each(Object.entries({ NodeNext, Bundler }))(
  "%s: a page's program, and a Node program without Node's types",
  (_, options) => {
    const strictest = { ...options, noUncheckedIndexedAccess: true };
    expect(complaints(filesIn(alone, all), { ...strictest, types: [] })).toBe("");
    expect(complaints(filesIn(inNode, all), { ...strictest, types: ["@webgpu/types"] })).toBe("");
  },
);

it("NodeNext: a service with Node's types and none of a page", () => {
  const typeRoots = [path.join(root, "node_modules/@types")];
  const options = { ...NodeNext, lib: ["lib.es2023.d.ts"], types: ["node"], typeRoots };
  expect(complaints(filesIn(inNode, ["service", "training"]), options)).toBe("");
});
