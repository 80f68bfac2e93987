// A web server on the loopback address for files held in memory: WebGPU exists only in a secure context, which
// http://localhost is and file:// is not.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".png": "image/png",
};

export interface Served {
  /** `http://localhost:<port>`, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `files`, from path ("/index.html", "/app.js") to content, on a free port; "/" is "/index.html". Entries may be
 * added and replaced while it runs.
 */
export async function serve(files: ReadonlyMap<string, string | Uint8Array>): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const name = pathname === "/" ? "/index.html" : pathname;
    const body = files.get(name);
    if (body === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end(`no ${name} here\n`);
      return;
    }
    response
      .writeHead(200, {
        "content-type": types[path.extname(name)] ?? "application/octet-stream",
        "cache-control": "no-store",
        // Isolated from other origins, a page's clock has a resolution of 5 microseconds instead of 100.
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      })
      .end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "localhost", resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections(); // a browser keeps its connections open
      }),
  };
}
