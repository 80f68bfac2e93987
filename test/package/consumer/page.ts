// A page whose bundler follows `new URL(..., import.meta.url)`, or which has none.
import { visit } from "./visit.js";

visit();
