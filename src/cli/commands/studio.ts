// twingrad studio: serves the web page.
import type { Command } from "commander";
import { wholeNumber } from "../options/values.ts";
import { action, note, warn } from "../outcome.ts";
import { isLoopback, openInBrowser, serveStudio, studioFolder } from "../studio/serve.ts";

export function addStudio(program: Command): void {
  const command = program
    .command("studio")
    .description("Serves the studio, a page that learns and recognizes faces on your GPU, and prints its address.")
    .option("--port <number>", "where it listens; 0 takes a free one", wholeNumber(0), 8080)
    .option("--host <name>", "the address it listens on", "127.0.0.1")
    .option("--open", "open it in the browser");
  action(command, async ({ port, host, open }: { port: number; host: string; open?: boolean }) => {
    if (!isLoopback(host)) {
      warn(
        `--host ${host}: others on the network can open the page. It sends nothing back here, but browsers have WebGPU on https and on localhost alone.`,
      );
    }
    const served = await serveStudio(await studioFolder(), { port, host });
    if (open) openInBrowser(served.url);
    note("Ctrl-C ends it.");
    return { result: { url: served.url }, text: served.url, until: served.closed };
  });
}
