import { defineConfig } from "vitest/config";
import { vitePlugin } from "../shaders/reflect.mjs";
import LongestFirst from "./sequencer.ts";

/** A file's name says when it runs: `npm test` is quick, `npm run test:full` quick and full, `npm run test:hosts` hosts. */
export default defineConfig({
  plugins: [vitePlugin()],
  test: {
    root: new URL("..", import.meta.url).pathname,
    globalSetup: ["test/package/folder.ts"],
    // A software adapter compiles a kernel in up to half a second, and the hosts share the machine's cores.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: "quick", include: ["test/**/*.test.ts"], exclude: ["test/**/*.{full,hosts}.test.ts"] },
      },
      { extends: true, test: { name: "full", include: ["test/**/*.full.test.ts"] } },
      { extends: true, test: { name: "hosts", include: ["test/**/*.hosts.test.ts"] } },
    ],
  },
});
