// twingrad studio: serves the web page.
import type { Command } from "commander";
import { wholeNumber } from "../options/values.ts";
import { action, note, warn } from "../outcome.ts";
import { isLoopback, openInBrowser, serveStudio, studioFolder } from "../studio/serve.ts";

export function addStudio(program: Command): void {
  const command = program
    .command("studio")
    .description(
      "Serves the studio, a web page that trains networks and recognizes faces on your GPU, and prints its address.",
    )
    .option("--port <number>", "port to listen on; 0 chooses a free one", wholeNumber(0, 65535), 8080)
    .option("--host <name>", "address to listen on", "127.0.0.1")
    .option("--open", "open the page in the browser");
  action(command, async ({ port, host, open }: { port: number; host: string; open?: boolean }) => {
    if (!isLoopback(host)) {
      warn(
        `--host ${host}: others on the network can open the page. It sends nothing to this server, but browsers provide WebGPU only on https and localhost.`,
      );
    }
    const served = await serveStudio(await studioFolder(), { port, host });
    if (open) openInBrowser(served.url);
    note("Press Ctrl-C to stop.");
    return { result: { url: served.url }, text: served.url, until: served.closed };
  });
}
