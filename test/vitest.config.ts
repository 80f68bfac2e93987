import { defineConfig } from "vitest/config";
import { vitePlugin } from "../shaders/reflect.mjs";
import LongestFirst from "./sequencer.ts";

/** `npm test`, or with `--mode full` (`npm run test:full`) every case on every host. */
export default defineConfig(({ mode }) => ({
  plugins: [vitePlugin()],
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/package/folder.ts"],
    // A software adapter compiles a kernel in up to half a second, and the hosts share the machine's cores.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    env: { TEST_FULL: mode === "full" ? "1" : "" },
  },
}));
