// Builds the documentation as static files for any host: guide, API reference and the studio; and checks every
// link in it.
//
//   npm run site
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { lacking } from "./documented.ts";
import { brokenLinks } from "./links.ts";
import { convert } from "./reference.ts";
import { style } from "./style.ts";

const folder = path.resolve("build/site");
const looks = path.resolve("build/site.css");

await rm(folder, { recursive: true, force: true });
await mkdir("build", { recursive: true });
await writeFile(looks, style);
const { app, project } = await convert(looks);
app.validate(project);
await app.generateDocs(project, folder);
// Imported by its path and not bundled, because it reads the shaders relative to its own file.
const { buildStudio } = await import(path.resolve("scripts/packages/studio.mjs"));
await buildStudio("build/site/studio");

const faults = [...lacking(project), ...brokenLinks(folder).map((link) => `leads nowhere: ${link}`)];
for (const fault of faults) console.error(fault);
if (faults.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
else
  console.log(`the site: ${path.relative(".", folder)}/index.html, the studio in studio/; every link leads somewhere`);
