// Turns a .wgsl file into the module that TypeScript imports, for esbuild and vitest alike: its name and text. `readShader`
// (src/gpu/shader.ts) parses the bindings at load time. wgsl_reflect parses the same text at build time, so that an
// unsupported shader fails the build. `node shaders/reflect.mjs --types` writes its findings as types (bindings, override
// constants, shape, tunables), so that a wrong binding or constant name does not compile.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** All shaders as paths in their folder: portable ones at the top, those for particular hardware or algorithms in folders. */
export async function shaderFiles(folder) {
  const all = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".wgsl"));
  const files = all.map((file) => file.replaceAll("\\", "/")).sort();
  const names = files.map((file) => basename(file));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new Error(`${folder}: two shaders are called ${twice}; expected unique names.`);
  return files;
}

/** The path from a shader's module to `readShader`, by the shader's depth. */
const reader = (file) => `${"../".repeat(file.split(/[\\/]/).reverse().indexOf("shaders"))}src/gpu/shader.ts`;

/** A shader's properties for the types of a launch: see `Shader` in src/gpu/shader.ts. */
export function reflectShader(code, file) {
  const name = basename(file, ".wgsl");
  const fail = (what) => {
    throw new Error(`${file}: ${what}`);
  };
  let reflection;
  try {
    reflection = new WgslReflect(code);
  } catch (error) {
    fail(`wgsl_reflect cannot read it: ${error.message ?? error}`);
  }
  if (reflection.entry.compute.length !== 1) fail("expected exactly one @compute entry point");
  if (reflection.entry.compute[0].name !== "main") fail("expected an entry point called main");
  const bindings = {};
  let shape;
  for (const variable of [...reflection.storage, ...reflection.uniforms]) {
    if (variable.group !== 0) fail(`${variable.name} is in group ${variable.group}; expected group 0`);
    const uniform = reflection.uniforms.includes(variable);
    if (uniform && variable.name === "shape") {
      const fields = variable.members?.map(({ name, type }) => ({ name, type: type.name }));
      if (!fields?.every(({ type }) => ["u32", "i32", "f32"].includes(type))) fail("shape is no struct of numbers");
      shape = { binding: variable.binding, fields };
      continue;
    }
    bindings[variable.name] = { binding: variable.binding, access: uniform ? "uniform" : variable.access };
  }
  // wgsl_reflect does not tell whether an override has a default, nor a const's literal, hence the two expressions.
  const constants = {};
  for (const { name, type } of reflection.overrides) {
    const optional = new RegExp(`override\\s+${name}\\s*(:\\s*\\w+\\s*)?=`).test(code);
    constants[name] = { type: type?.name ?? fail(`override ${name} needs an explicit type`), optional };
  }
  const tunables = {};
  for (const [, name, value] of code.matchAll(/^const\s+(\w+)\s*(?::\s*u32)?\s*=\s*(\d+)u?\s*;/gm)) {
    tunables[name] = Number(value);
  }
  return { name, code, bindings, shape, constants, tunables };
}

/** JavaScript source of the module that an `import shader from "x.wgsl"` yields. */
export function shaderModule(code, file) {
  const { name } = reflectShader(code, file);
  return `import { readShader } from "${reader(file)}";
export default /* @__PURE__ */ readShader("${name}", ${JSON.stringify(code)});
`;
}

/** Declaration of that module: names and access of bindings, names of constants and tunables. */
export function shaderDeclaration(code, file) {
  const { bindings, constants, shape, tunables } = reflectShader(code, file);
  const literal = (entries) => (entries.length ? `{ ${entries.map(([k, v]) => `${k}: ${v}`).join("; ")} }` : "{}");
  const names = (list) => (list.length ? list.map((n) => `"${n}"`).join(" | ") : "never");
  const of = (optional) => Object.keys(constants).filter((name) => constants[name].optional === optional);
  const required = [...of(false), ...(shape?.fields ?? []).map(({ name }) => name)];
  return `import type { Shader } from "${reader(file)}";
declare const shader: Shader<
  ${literal(Object.entries(bindings).map(([n, b]) => [n, `"${b.access}"`]))},
  ${names(required)},
  ${names(of(true))},
  ${names(Object.keys(tunables))}
>;
export default shader;
`;
}

/**
 * Source of the module "twingrad:build" (src/gpu/build.d.ts): what a tuning table must have been made with to be of use.
 * The digest is of the shaders' sources, so that a table made before one of them changed is known to be old.
 */
async function buildModule(folder) {
  const { version } = JSON.parse(await readFile(join(folder, "../package.json"), "utf8"));
  const hash = createHash("sha256");
  for (const file of await shaderFiles(folder)) {
    hash.update(`${file}\n`).update(await readFile(join(folder, file)));
  }
  return `export const version = ${JSON.stringify(version)}, shaders = "${hash.digest("hex").slice(0, 16)}";\n`;
}

/**
 * A shader as users download it: without comments, empty lines, indentation and spaces beside punctuation. A compile error
 * quotes its line, so the others stay apart, and so do two words or two operators, as in `a - -b`.
 */
export function minifyWhitespace(code) {
  const kind = (character) => (/[\w.@]/.test(character) ? "word" : /[-+*/%&|^~!<>=]/.test(character) ? "operator" : "");
  return code
    .replace(/\/\/.*/g, "")
    .replace(/^\s+|[ \t]+$/gm, "")
    .replace(/(\S)[ \t]+(?=(\S))/g, (all, left, right) => (kind(left) && kind(left) === kind(right) ? all : left));
}

/** `minify` for what users download. */
export function esbuildPlugin({ minify = false } = {}) {
  return {
    name: "wgsl",
    setup(build) {
      // The folder by way of the importer, src/gpu: this file may itself have been bundled to somewhere else.
      build.onResolve({ filter: /^twingrad:build$/ }, ({ path, resolveDir }) => {
        return { path, namespace: "twingrad", pluginData: join(resolveDir, "../../shaders") };
      });
      build.onLoad({ filter: /./, namespace: "twingrad" }, async ({ pluginData }) => {
        return { contents: await buildModule(pluginData), loader: "js" };
      });
      build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        try {
          return { contents: shaderModule(minify ? minifyWhitespace(text) : text, path), loader: "js" };
        } catch (error) {
          return { errors: [{ text: error.message }] };
        }
      });
    },
  };
}

export function vitePlugin() {
  return {
    name: "wgsl",
    enforce: "pre",
    resolveId: (id) => (id === "twingrad:build" ? `\0${id}` : null),
    async load(id) {
      if (id === "\0twingrad:build") return buildModule(folder);
      const path = id.split("?")[0];
      return path.endsWith(".wgsl") ? shaderModule(await readFile(path, "utf8"), path) : null;
    },
  };
}

async function writeTypes() {
  const target = join(folder, "../build/types/shaders");
  await mkdir(target, { recursive: true });
  const before = (await readdir(target, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const stale = new Set(before.map((file) => file.replaceAll("\\", "/")));
  for (const file of await shaderFiles(folder)) {
    const code = await readFile(join(folder, file), "utf8");
    const declaration = file.replace(/\.wgsl$/, ".d.wgsl.ts");
    await mkdir(join(target, dirname(file)), { recursive: true });
    await writeFile(join(target, declaration), shaderDeclaration(code, join(folder, file)));
    stale.delete(declaration);
  }
  for (const file of stale) await rm(join(target, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--types")) await writeTypes();
