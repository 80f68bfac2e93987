// Where things live and which room may import which. A failure says which file imports what, and what to do about it.
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { describe, expect, it, test } from "vitest";
import { circleAmong, filesBelow, type Import, importsOf, parse, root } from "./imports.ts";

interface Room {
  /** Rooms, or single files of rooms, that it may import beside its own files. */
  readonly imports: readonly string[];
  /** Rooms that it may import only types from. */
  readonly types?: readonly string[];
  /** Whether it may import packages, or Node's own modules as well; neither by default. */
  readonly packages?: "npm" | "npm and node";
}

/** The rooms of src from the bottom up: each may know only those above it in this table. `shaders` lies beside src. */
const rooms: Readonly<Record<string, Room>> = {
  shaders: { imports: [] },
  "errors.ts": { imports: [] },
  "options.ts": { imports: ["errors.ts"] },
  gpu: { imports: ["errors.ts", "options.ts"] },
  tape: { imports: ["gpu", "shaders", "errors.ts", "options.ts"] },
  ops: { imports: ["tape", "shaders", "errors.ts", "options.ts"] },
  optim: { imports: ["tape", "shaders", "errors.ts", "options.ts"] },
  nn: { imports: ["ops", "tape", "errors.ts", "options.ts"] },
  // Bytes to values. The type that it takes from gpu is what it reads: a kept tuning table.
  formats: { imports: ["errors.ts"], types: ["gpu"], packages: "npm" },
  data: { imports: ["formats", "ops", "errors.ts", "options.ts"] },
  // Numbers in, numbers out.
  evaluation: { imports: ["data", "errors.ts", "options.ts"] },
  model: { imports: ["data", "formats", "nn", "ops", "tape", "errors.ts", "options.ts"], types: ["gpu"] },
  recognition: {
    imports: ["model", "evaluation", "data", "formats", "nn", "ops", "tape", "errors.ts", "options.ts"],
    types: ["gpu"],
  },
  train: { imports: ["model", "data", "optim", "nn", "ops", "tape", "gpu", "errors.ts", "options.ts"] },
  "valueAndGradients.ts": { imports: ["tape", "errors.ts", "options.ts"], types: ["gpu"] },
  // The public API of the core.
  "index.ts": {
    imports: [
      "valueAndGradients.ts",
      "train",
      "recognition",
      "model",
      "evaluation",
      "data",
      "nn",
      "optim",
      "ops",
      "tape",
      "gpu",
      "errors.ts",
    ],
  },
  // Models from and for other programs: an entry of its own, which nothing of the core loads.
  exchange: {
    imports: ["recognition", "evaluation", "model", "data", "formats", "nn", "ops", "errors.ts", "options.ts"],
    packages: "npm",
  },
  web: {
    imports: ["train", "recognition", "model", "evaluation", "data", "formats", "errors.ts", "options.ts"],
    types: ["gpu"],
    packages: "npm",
  },
  node: {
    imports: ["train", "recognition", "model", "evaluation", "data", "formats", "gpu", "errors.ts", "options.ts"],
    types: ["nn"],
    packages: "npm and node",
  },
  // What the command line uses of the library beyond its public API.
  "internal.ts": {
    imports: [
      "errors.ts",
      "options.ts",
      "node",
      "train",
      "recognition",
      "model",
      "evaluation",
      "data",
      "formats",
      "optim",
      "nn",
    ],
  },
  // Drawn people, for whoever has a rasterizer: the demo, the studio.
  faces: { imports: [], packages: "npm" },
  // The page of an evaluation, for whoever has pictures to show: the command line, the studio.
  report: {
    imports: ["evaluation"],
    types: ["recognition", "data"],
    packages: "npm",
  },
  cli: {
    imports: ["index.ts", "node/index.ts", "exchange/index.ts", "internal.ts", "faces", "report"],
    packages: "npm and node",
  },
  // The page. It is bundled from the sources, so it takes what it needs of the library where that lies.
  studio: {
    imports: [
      "web",
      "exchange",
      "faces",
      "report",
      "train",
      "recognition",
      "model",
      "evaluation",
      "data",
      "formats",
      "nn",
      "optim",
      "tape",
      "gpu",
      "errors.ts",
      "options.ts",
    ],
    packages: "npm",
  },
};

interface Exception {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** Imports that the table forbids. */
const upwards: readonly Exception[] = [];

/** Imports that close a circle at run time. */
const circlesAtRunTime: readonly Exception[] = [];

/** Cyclic imports of types, which are erased at run time: pairs of files that belong together. */
const circlesOfTypes: readonly Exception[] = [
  { from: "src/gpu/device.ts", to: "src/gpu/tuner.ts", reason: "a device's tuner times kernels on that device" },
  { from: "src/gpu/device.ts", to: "src/gpu/untuned.ts", reason: "what stands in for a tuner tells of the adapter" },
  { from: "src/tape/tape.ts", to: "src/tape/compile.ts", reason: "a tape hands itself over to be compiled" },
  { from: "src/tape/tape.ts", to: "src/tape/parameters.ts", reason: "a tape makes its parameters" },
  { from: "src/tape/tape.ts", to: "src/tape/plan.ts", reason: "compiling is told of the tape's tensors" },
  { from: "src/tape/tape.ts", to: "src/tape/tensor.ts", reason: "a tape makes its tensors" },
  {
    from: "src/tape/tape.ts",
    to: "src/tape/graph.ts",
    reason: "a tape records operations, whose inputs are its tensors",
  },
  { from: "src/tape/tape.ts", to: "src/tape/view.ts", reason: "a tape's view is an operation on it" },
  { from: "src/tape/graph.ts", to: "src/tape/lower.ts", reason: "an operation says how it is lowered" },
  { from: "src/tape/graph.ts", to: "src/tape/rewrite.ts", reason: "an operation names the rules that start from it" },
];

const mostFiles = 15;
/** Folders that hold more, and why. */
const largeFolders: Readonly<Record<string, string>> = {};

const sources = filesBelow("src")
  .filter((file) => /\.(tsx?|mjs)$/.test(file))
  .map(parse);
const imports = sources.flatMap(importsOf);
const inside = imports.filter(({ external }) => !external);

/** A file's room: its folder in src, or the file itself where it lies directly in src; else the folder beside src. */
function roomOf(file: string): string {
  const [top, second] = file.split("/");
  return top === "src" ? second : top;
}

const listedIn =
  (...lists: readonly (readonly Exception[])[]) =>
  ({ from, to }: Import) =>
    lists.flat().some((one) => one.from === from && one.to === to);

function isForbidden({ from, to, typeOnly }: Import): boolean {
  const [own, other] = [roomOf(from), roomOf(to)];
  const { imports: allowed, types = [] } = rooms[own];
  const named = [...allowed, ...(typeOnly ? types : [])];
  return own !== other && !named.includes(other) && !named.includes(posix.relative("src", to));
}

function whatToDo({ from, to }: Import): string {
  const room = roomOf(from);
  const { imports: allowed, types } = rooms[room];
  const may = [allowed.join(", "), types && `types of ${types.join(", ")}`].filter(Boolean).join("; ");
  return `${from} imports ${to}, but ${room} may import only: ${may}. Move what both need down into one of these, or what needs it up.`;
}

describe("rooms", () => {
  it("have a rule each, which names only rooms above them in the table", () => {
    const found = new Set(sources.map(({ fileName }) => roomOf(fileName)));
    expect([...found].filter((room) => !rooms[room])).toEqual([]);
    const order = Object.keys(rooms);
    for (const [room, { imports: allowed, types = [] }] of Object.entries(rooms)) {
      for (const name of [...allowed, ...types]) {
        const place = order.indexOf(order.includes(name) ? name : roomOf(`src/${name}`));
        expect(place, `${name}, which ${room} may import, is no room`).toBeGreaterThanOrEqual(0);
        expect(place, `${name}, which ${room} may import, stands below it`).toBeLessThan(order.indexOf(room));
      }
    }
  });

  it("import downwards only", () => {
    const found = inside.filter(isForbidden).filter((one) => !listedIn(upwards)(one));
    expect(found.map(whatToDo)).toEqual([]);
  });

  it.each(upwards)("need the exception of $from for $to", ({ from, to }) => {
    const needed = inside.filter(isForbidden).some(listedIn([{ from, to, reason: "" }]));
    expect(needed, `${from} imports ${to} no longer: take it off the list`).toBe(true);
  });

  it("import packages where the table says so", () => {
    const found = imports.filter(({ from, to, external }) => {
      const { packages } = rooms[roomOf(from)];
      if (!external || to === "twingrad:build") return false; // the package's version and a digest of its shaders
      return to.startsWith("node:") ? packages !== "npm and node" : packages === undefined;
    });
    const told = ({ from, to }: Import) =>
      `${from} imports ${to}: ${roomOf(from)} depends on nothing of the kind. Let its caller hand in what it needs.`;
    expect(found.map(told)).toEqual([]);
  });
});

describe("circles", () => {
  const atRunTime = inside.filter(({ typeOnly }) => !typeOnly);
  const told = (circle: readonly string[] | undefined) => circle?.join(" imports ");

  it("do not exist at run time", () => {
    const circle = circleAmong(atRunTime.filter((one) => !listedIn(circlesAtRunTime)(one)));
    expect(told(circle), "move what two of them share into a file of its own").toBeUndefined();
  });

  it("exist among types only as listed", () => {
    const circle = circleAmong(inside.filter((one) => !listedIn(circlesAtRunTime, circlesOfTypes)(one)));
    expect(told(circle), "move the types that two of them share into a file of their own").toBeUndefined();
  });

  it.each([
    ...circlesAtRunTime.map((one) => ({ ...one, among: atRunTime })),
    ...circlesOfTypes.map((one) => ({ ...one, among: inside })),
  ])("are closed by $from importing $to", ({ from, to, among }) => {
    const others = among.filter((one) => !listedIn(circlesAtRunTime, circlesOfTypes)(one));
    const own = among.filter(listedIn([{ from, to, reason: "" }]));
    expect(circleAmong([...others, ...own]), `${from} closes no circle any more: take it off the list`).toBeDefined();
  });

  it("are found where there are some", () => {
    const chain = [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "a", to: "c" },
    ];
    expect(circleAmong(chain)).toBeUndefined();
    expect(circleAmong([...chain, { from: "c", to: "b" }])).toEqual(["b", "c", "b"]);
  });
});

/** Members of a GPUDevice and its buffers that make, submit or read something. */
const gpuMembers = new Set([
  "createBindGroup",
  "createBindGroupLayout",
  "createCommandEncoder",
  "createComputePipeline",
  "createComputePipelineAsync",
  "createPipelineLayout",
  "createQuerySet",
  "createShaderModule",
  "getMappedRange",
  "mapAsync",
  "popErrorScope",
  "pushErrorScope",
  "queue",
]);

/** Whether it reads such a member, or makes a buffer otherwise than by the `createBuffer` of our own Device. */
function isGpuMember(node: ts.Node): boolean {
  if (ts.isBindingElement(node)) return gpuMembers.has((node.propertyName ?? node.name).getText());
  if (!ts.isPropertyAccessExpression(node)) return false;
  const { text } = node.name;
  return gpuMembers.has(text) || (text === "createBuffer" && /\bgpu$/.test(node.expression.getText()));
}

test("only src/gpu touches a GPUDevice", () => {
  const found: string[] = [];
  for (const source of sources) {
    const visit = (node: ts.Node) => {
      if (isGpuMember(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${source.fileName}:${line + 1}: ${node.getText()}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  const elsewhere = found.filter((place) => roomOf(place) !== "gpu");
  expect(elsewhere, "add what is missing to src/gpu and call it there").toEqual([]);
  expect(found.length, "what src/gpu itself does is found").toBeGreaterThan(gpuMembers.size);
});

test(`at most ${mostFiles} files lie side by side`, () => {
  const counts = new Map<string, number>();
  for (const file of ["src", "test", "scripts"].flatMap(filesBelow)) {
    const folder = posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const large = [...counts].filter(([, count]) => count > mostFiles);
  const told = large
    .filter(([folder]) => !largeFolders[folder])
    .map(([folder, count]) => `${folder} holds ${count} files: group them in folders by what they are about`);
  expect(told).toEqual([]);
  const small = Object.keys(largeFolders).filter((folder) => !large.some(([name]) => name === folder));
  expect(small, "no longer large: take it off the list").toEqual([]);
});

test("docs/architecture.md has this table; UPDATE_DOCS=1 writes it", () => {
  const page = join(root, "docs/architecture.md");
  const text = readFileSync(page, "utf8");
  const row = ([room, { imports, types = [], packages }]: [string, Room]) => {
    const may = [...imports, ...types.map((name) => `${name} (types)`)].map((name) =>
      `\`${name}\``.replace(" (types)`", "` (types)"),
    );
    const also = { npm: "npm packages", "npm and node": "npm packages, Node's modules" };
    return `| \`${room}\` | ${[...may, ...(packages ? [also[packages]] : [])].join(", ") || "nothing"} |`;
  };
  const table = ["| room | may import |", "|---|---|", ...Object.entries(rooms).reverse().map(row)].join("\n");
  const whole = text.replace(/(<!-- rooms -->\n).*(<!-- \/rooms -->)/s, `$1${table}\n$2`);
  if (process.env.UPDATE_DOCS) writeFileSync(page, whole);
  expect(readFileSync(page, "utf8")).toBe(whole);
});
