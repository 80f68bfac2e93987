// What a page has besides the core.
export { originPrivateFolder } from "./originPrivateFolder.ts";
export { pageTuningStore } from "./tuning.ts";
