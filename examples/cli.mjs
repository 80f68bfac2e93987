// Runs the built command line, for the recipes in this folder.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../dist/cli/cli.js", import.meta.url));

/**
 * The JSON that a command prints as its last line. @param messages the command's standard error, as in `spawn`'s
 * `stdio`.
 */
export function twingrad(args, messages = "inherit") {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args, "--json"], { stdio: ["ignore", "pipe", messages] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.once("error", reject);
    child.once("close", (status) => {
      const last = output.trimEnd().split("\n").at(-1);
      if (status === 0) resolve(JSON.parse(last));
      else reject(new Error(`twingrad ${args.join(" ")}: exit status ${status}: ${last}`));
    });
  });
}
