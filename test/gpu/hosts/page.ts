// Entry of the bundle for a page: puppeteer calls the function that it puts on the global object.

import { createRunner, type Runner, type Start } from "./runner.ts";

declare global {
  var runner: Runner;
  var start: (options: Start) => Promise<string>;
}

globalThis.start = async (options) => {
  globalThis.runner = await createRunner(options);
  return globalThis.runner.adapter;
};
