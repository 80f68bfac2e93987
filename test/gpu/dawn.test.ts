// The same suites on Dawn in Node.

import { openProcess } from "./hosts/process.ts";
import { allCases, runSuites } from "./hosts/suites.ts";

runSuites(
  "Dawn in Node",
  (start) =>
    openProcess({ executable: process.execPath, parameters: ["--enable-source-maps"], environment: {} }, start),
  allCases,
);
