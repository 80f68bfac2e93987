// The programs of consumer/ for a page and for Node as esbuild, Vite and webpack build them, and for a page without any of
// them. A warning is an error.
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

/** What builds into a folder beside the programs: index.html and its scripts, and service.js. */
export interface Bundler {
  page(folder: string, out: string): Promise<void>;
  service?(folder: string, out: string): Promise<void>;
}

/** Native modules: they stay where npm installed them. */
const native = ["webgpu", "sharp"];

const html = (script: string, kind = 'type="module"') => `<!doctype html><script ${kind} src="/${script}"></script>`;
const addPage = (out: string, text: string) => writeFile(path.join(out, "index.html"), text);

async function byEsbuild(options: esbuild.BuildOptions): Promise<void> {
  const shared = { bundle: true, splitting: true, format: "esm", target: "es2022", logLevel: "silent" } as const;
  const { warnings } = await esbuild.build({ ...shared, ...options });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
}

async function byVite({ build, ...options }: vite.InlineConfig): Promise<void> {
  const told: string[] = [];
  const warn = (message: string) => void told.push(message);
  const customLogger = { ...vite.createLogger("silent"), warn, warnOnce: warn, error: warn };
  const rolldownOptions = { checks: { bundlerTimings: false } }; // a slow machine is no fault of the package
  const shared: vite.InlineConfig = { configFile: false, logLevel: "warn", customLogger };
  await vite.build({ ...shared, ...options, build: { ...build, rolldownOptions } });
  if (told.length > 0) throw new Error(told.join("\n"));
}

async function byWebpack(options: webpack.Configuration): Promise<void> {
  const stats = await new Promise<webpack.Stats>((resolve, reject) => {
    // Its hints are about any program of more than 244 KiB before compression.
    const shared: webpack.Configuration = { mode: "production", performance: { hints: false } };
    webpack({ ...shared, ...options }, (error, stats) => (stats ? resolve(stats) : reject(error)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString("errors-warnings"));
}

export const bundlers: Record<string, Bundler> = {
  [`esbuild ${esbuild.version}`]: {
    async page(folder, out) {
      const entryPoints = {
        page: "pageWithWorker.js",
        worker: "worker.js",
        "decoder.worker": "twingrad/web/decoder.worker",
      };
      await byEsbuild({ absWorkingDir: folder, entryPoints, outdir: out });
      await addPage(out, html("page.js"));
    },
    service: (folder, out) =>
      byEsbuild({
        absWorkingDir: folder,
        entryPoints: ["service.js"],
        outdir: out,
        platform: "node",
        external: native,
      }),
  },

  [`Vite ${vite.version}`]: {
    async page(folder, out) {
      await addPage(folder, html("page.js"));
      await byVite({ root: folder, build: { outDir: out } });
    },
    service: (folder, out) =>
      byVite({
        root: folder,
        ssr: { noExternal: true, external: native },
        build: { outDir: out, ssr: "service.js" },
      }),
  },

  [`webpack ${webpack.version}`]: {
    async page(folder, out) {
      await byWebpack({ context: folder, entry: { page: "./page.js" }, output: { path: out } });
      await addPage(out, html("page.js", "defer"));
    },
    service: (folder, out) =>
      byWebpack({
        context: folder,
        target: "node20",
        entry: { service: "./service.js" },
        optimization: { minimize: false },
        experiments: { outputModule: true },
        externals: Object.fromEntries(native.map((name) => [name, `import ${name}`])),
        output: { path: out, module: true, filename: "[name].js" },
      }),
  },

  "no bundler": {
    /** The published folder as static files, and the page's own with the addresses of its files in place of its names. */
    async page(folder, out) {
      const library = path.join(folder, "node_modules/twingrad");
      await cp(library, path.join(out, "twingrad"), { recursive: true });
      const { exports } = JSON.parse(await readFile(path.join(library, "package.json"), "utf8"));
      for (const file of (await readdir(folder)).filter((name) => /^(page|visit|training|worker)\.js$/.test(name))) {
        const text = await readFile(path.join(folder, file), "utf8");
        const addressed = text.replace(
          /from "twingrad(.*)"/g,
          (_, entry) => `from "/twingrad${exports[`.${entry}`].default.slice(1)}"`,
        );
        await writeFile(path.join(out, file), addressed);
      }
      await addPage(out, html("page.js"));
    },
  },
};
