// What a page has besides the core.
export { pageTuningStore } from "./tuning.ts";
