// The examples in the comments of src (`@example`), as programs: names of the core that they do not import are imported, and
// those that stand for what a reader has at hand are declared.
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import ts from "typescript";
import { filesBelow, root } from "../../imports.ts";

/** What examples speak of without making it. */
const given: Readonly<Record<string, string>> = {
  batch: "PairBatch",
  bytes: "Uint8Array",
  dataset: "Dataset",
  device: "Device",
  embeddings: "Float32Array",
  images: "Uint8Array",
  labels: "Int32Array",
  livenessDataset: "LivenessDataset",
  model: "Model",
  scored: "(EvaluationPair & ScoredPair)[]",
  tape: "Tape",
  trainer: "Trainer",
  x: "Tensor",
};

export interface ApiExample {
  /** As src/ops/relu.ts:12. */
  place: string;
  text: string;
}

export function readApiExamples(): ApiExample[] {
  const files = filesBelow("src").filter((file) => file.endsWith(".ts") && !/^src\/(cli|studio)\//.test(file));
  return files.sort().flatMap((file) => {
    const text = readFileSync(path.join(root, file), "utf8");
    return [...text.matchAll(/@example[^\n]*\n *\* ```ts\n(.*?)\n *\* ```/gs)].map(({ 1: code, index }) => ({
      place: `${file}:${text.slice(0, index).split("\n").length}`,
      text: code.replace(/^ *\* ?/gm, ""),
    }));
  });
}

/** Writes a module for each example into a folder with the package, and says how the compiler is to see them. */
export async function writePrograms(folder: string, examples: readonly ApiExample[]) {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    verbatimModuleSyntax: false, // what is imported for an example may be a type
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [path.join(root, "node_modules/@types")],
    paths: { "@vladmandic/face-api": [path.join(root, "node_modules/@vladmandic/face-api")] },
  };
  const files = examples.map(({ place }) => path.join(folder, `${place.replace(/\W/g, "-")}.ts`));
  const write = (preludes: readonly string[]) =>
    Promise.all(files.map((file, i) => writeFile(file, `${preludes[i]}${examples[i].text}\nexport {};\n`)));
  await write(files.map(() => ""));
  const program = ts.createProgram(files, options);
  await write(files.map((file) => prelude(unknownNames(program, file))));
  return { files, options };
}

/** Names that nothing declares: TypeScript's "Cannot find name" and its kin. */
function unknownNames(program: ts.Program, file: string): Set<string> {
  const source = program.getSourceFile(file);
  const found = program.getSemanticDiagnostics(source).filter(({ code }) => [2304, 2552, 2663, 18004].includes(code));
  return new Set(found.map(({ start = 0, length = 0 }) => source?.text.slice(start, start + length) ?? ""));
}

function prelude(names: ReadonlySet<string>): string {
  const imported = [...names].filter((name) => !(name in given));
  const types = (text: string) => text.replace(/\b(?!Uint8|Float32|Int32)[A-Z]\w+/g, 'import("twingrad").$&');
  return [
    imported.length > 0 ? `import { ${imported.join(", ")} } from "twingrad";\n` : "",
    ...[...names].filter((name) => name in given).map((name) => `declare const ${name}: ${types(given[name])};\n`),
  ].join("");
}
