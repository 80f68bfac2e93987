// Dawn in Node: the package that a Node program computes with.

import type { OpenHost } from "./host.ts";
import { openProcess } from "./process.ts";

export const openDawn: OpenHost = (start) =>
  openProcess({ executable: process.execPath, parameters: ["--enable-source-maps"], environment: {} }, start);
