// Checks that the current commit can be released, and packs it: `npm run release`. It publishes nothing; it prints the
// commands that do. `-- --skip-tests` leaves the long suite out, to try the script itself, and then prints no commands.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const out = path.join(root, "build", "release");
const skipTests = process.argv.includes("--skip-tests");
const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
const changelog = readFileSync(path.join(root, "CHANGELOG.md"), "utf8");
const faults = [];

/** The section of one version; undefined where there is none. */
function changesOf(version) {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`${version} (`));
  return section?.split("\n").slice(1).join("\n").trim();
}

const git = (...parameters) => execFileSync("git", parameters, { cwd: root, encoding: "utf8" }).trim();

const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).version;
if (lock !== version) faults.push(`package-lock.json has version ${lock}, package.json ${version}: run npm install`);
if (git("status", "--porcelain") !== "") faults.push("there are uncommitted changes: commit or stash them");
if (git("tag", "--list", `v${version}`) !== "")
  faults.push(`the tag v${version} exists: raise the version in package.json`);
const changes = changesOf(version);
if (!changes) faults.push(`CHANGELOG.md has no section "## ${version} (YYYY-MM-DD)"`);
else if (!/^### /m.test(changes)) faults.push(`CHANGELOG.md: the section of ${version} has no entries`);
if (/^## Unreleased/m.test(changelog))
  faults.push(`CHANGELOG.md has unreleased changes: move them to the section of ${version}`);
stopOnFaults();

const steps = [
  ["npm", "run", "check"],
  ["npm", "run", "build"],
  ["npm", "run", "size"],
  ["npm", "run", "site"],
  ...(skipTests
    ? []
    : [
        ["npm", "run", "test:full"],
        ["npm", "run", "test:hosts"],
      ]),
];
for (const [program, ...parameters] of steps) {
  console.log(`\n== ${program} ${parameters.join(" ")}`);
  const { status } = spawnSync(program, parameters, { cwd: root, stdio: "inherit" });
  if (status !== 0) faults.push(`${program} ${parameters.join(" ")} failed with status ${status}`);
  stopOnFaults();
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const archives = ["twingrad", "cli"].map((folder) => {
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", out, path.join(root, "dist", folder)]);
  const [{ filename, entryCount }] = JSON.parse(packed);
  const file = path.join(out, filename);
  console.log(`${path.relative(root, file)}: ${entryCount} files, ${Math.round(statSync(file).size / 1000)} kB`);
  return file;
});
for (const file of archives) {
  const { status } = spawnSync("npx", ["publint", file, "--strict"], { cwd: root, stdio: "inherit" });
  if (status !== 0) faults.push(`publint finds faults in ${path.basename(file)}`);
}
stopOnFaults();

console.log(`\n${version} can be released.\n\n${changes}\n`);
if (skipTests) console.log("The tests were skipped: run again without --skip-tests before you publish.");
else {
  console.log(`Publish by hand:\n  git tag v${version} && git push origin v${version}`);
  for (const file of archives) console.log(`  npm publish ${path.relative(root, file)}`);
}

function stopOnFaults() {
  if (faults.length === 0) return;
  console.error(`\n${version} cannot be released:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  process.exit(1);
}
