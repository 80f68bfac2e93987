import { defineConfig } from "vitest/config";
import { vitePlugin } from "../shaders/reflect.mjs";

export default defineConfig({
  plugins: [vitePlugin()],
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    // A software adapter compiles a kernel in up to half a second, and the hosts share the machine's cores.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
