import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import {
  esbuildPlugin,
  minifyWhitespace,
  reflectShader,
  shaderDeclaration,
  shaderFiles,
} from "../../shaders/reflect.mjs";
import throughVite from "../../shaders/relu.backward.wgsl";
import { readShader } from "../../src/gpu/shader.ts";

const shader = `// a test
override COUNT: u32;
override FACTOR: f32 = 2.0;
const TILE: u32 = 4;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<uniform> schedule: vec4f;
@compute @workgroup_size(TILE) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COUNT) { output[id.x] = FACTOR * x[id.x] * schedule.x; }
}`;

test("bindings, constants and tunables are read", () => {
  expect(reflectShader(shader, "some/where/double.forward.wgsl")).toMatchObject({
    name: "double.forward",
    bindings: {
      x: { binding: 0, access: "read" },
      output: { binding: 2, access: "read_write" },
      schedule: { binding: 1, access: "uniform" },
    },
    constants: { COUNT: { type: "u32", optional: false }, FACTOR: { type: "f32", optional: true } },
    tunables: { TILE: 4 },
  });
});

test("a uniform called shape is read as values, which a launch gives with its constants", () => {
  const shaped = shader
    .replace("override COUNT: u32;", "struct Shape { COUNT: u32, BIAS: f32 }")
    .replace("schedule: vec4f", "shape: Shape")
    .replace("id.x < COUNT", "id.x < shape.COUNT")
    .replace("schedule.x", "shape.BIAS");
  const { bindings, constants, shape } = reflectShader(shaped, "a.wgsl");
  expect(Object.keys(bindings)).toEqual(["x", "output"]);
  expect(Object.keys(constants)).toEqual(["FACTOR"]);
  const fields = [
    { name: "COUNT", type: "u32" },
    { name: "BIAS", type: "f32" },
  ];
  expect(shape).toEqual({ binding: 1, fields });
  expect(shaderDeclaration(shaped, "shaders/a.wgsl").match(/^ {2}"COUNT" \| "BIAS",$/m)).not.toBeNull();
  expect(() => reflectShader(shaped.replace("BIAS: f32", "BIAS: vec4f"), "a.wgsl")).toThrow("a.wgsl: shape");
});

test("the declaration names them all", () => {
  const declaration = shaderDeclaration(shader, "shaders/double.forward.wgsl");
  expect(declaration).toContain('{ x: "read"; output: "read_write"; schedule: "uniform" }');
  expect(declaration.match(/^ {2}"COUNT",$/m)).not.toBeNull();
  expect(declaration.match(/^ {2}"FACTOR",$/m)).not.toBeNull();
  expect(declaration.match(/^ {2}"TILE"$/m)).not.toBeNull();
});

test("an unusable shader is refused with its file and the reason", () => {
  expect(() => reflectShader(shader.replace("@group(0) @binding(0)", "@group(1) @binding(0)"), "a.wgsl")).toThrow(
    "a.wgsl: x is in group 1",
  );
  expect(() => reflectShader(shader.replace("@compute", ""), "a.wgsl")).toThrow("a.wgsl");
  expect(() => reflectShader(shader.replace("fn main", "fn other"), "a.wgsl")).toThrow(
    "a.wgsl: expected an entry point",
  );
  expect(() => reflectShader("fn main( {", "broken.wgsl")).toThrow("broken.wgsl");
});

test("two shaders with the same name are refused, in any folders", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "shaders-"));
  try {
    mkdirSync(path.join(folder, "gpu"));
    writeFileSync(path.join(folder, "a.wgsl"), shader);
    writeFileSync(path.join(folder, "gpu", "b.wgsl"), shader);
    expect(await shaderFiles(folder)).toEqual(["a.wgsl", "gpu/b.wgsl"]);
    writeFileSync(path.join(folder, "gpu", "a.wgsl"), shader);
    await expect(shaderFiles(folder)).rejects.toThrow("two shaders are called a.wgsl");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a shader in a folder imports its reader", () => {
  expect(shaderDeclaration(shader, "shaders/gpu/a.wgsl")).toContain('from "../../src/gpu/shader.ts"');
  expect(shaderDeclaration(shader, "shaders/a.wgsl")).toContain('from "../src/gpu/shader.ts"');
});

const files = await shaderFiles("shaders");

test.each(files)("%s: what is read when it is loaded is what is reflected, also as published", (file) => {
  const text = readFileSync(`shaders/${file}`, "utf8");
  for (const code of [text, minifyWhitespace(text)]) {
    const { name, bindings, shape } = reflectShader(text, file);
    expect(readShader(name, code)).toEqual({ name, code, bindings, shape });
  }
});

/** Longest match first, as in WGSL; comments are skipped. */
const tokens = (code: string) =>
  code.replace(/\/\/.*/g, "").match(/[\w.]+|<<=|>>=|->|&&|\|\||<<|>>|\+\+|--|[-+*/%&|^<>=!]=|\S/g);

test.each(files)("%s: as published it has the same tokens, line by line, without the empty ones", (file) => {
  const published = minifyWhitespace(readFileSync(`shaders/${file}`, "utf8"))
    .trimEnd()
    .split("\n");
  const lines = readFileSync(`shaders/${file}`, "utf8").split("\n");
  expect(published.map(tokens)).toEqual(lines.map(tokens).filter((found) => found));
});

test("spaces are removed unless that joins two tokens", () => {
  const code = "  let a = b - -c * (d & &e) / *p; // why\n\tfn f() -> vec4f { return x[ 2u ] > = y; }  ";
  expect(minifyWhitespace(code)).toBe("let a=b- -c*(d& &e)/ *p;\nfn f()->vec4f{return x[2u]> =y;}");
});

test("esbuild and vitest see the same shader", async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { default } from "./shaders/relu.backward.wgsl"', resolveDir: "." },
    bundle: true,
    write: false,
    format: "esm",
    plugins: [esbuildPlugin()],
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`;
  const { default: throughEsbuild } = await import(/* @vite-ignore */ url);
  expect(throughEsbuild).toEqual(throughVite);
});
