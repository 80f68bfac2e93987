// Checks the comments of all that is public, and the links in them and in docs/: part of `npm run check`.

import { lacking } from "./documented.ts";
import { convert } from "./reference.ts";

const { app, project } = await convert();
app.validate(project);
const faults = lacking(project);
for (const fault of faults) console.error(fault);
if (faults.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
