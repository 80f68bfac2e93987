// Serves the studio's files, and nothing else, on the loopback address, only to requests with this machine's own host name.
import { spawn } from "node:child_process";
import { readdir, readFile, realpath } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo, isIP } from "node:net";
import path from "node:path";
import { TwingradError } from "../../index.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

export interface ServedStudio {
  readonly url: string;
  /** Settles when the server has closed. */
  readonly closed: Promise<void>;
  close(): void;
}

export const isLoopback = (host: string) => host === "localhost" || host === "::1" || /^127\./.test(host);

/** The folder of the studio's files, next to the program. */
export async function studioFolder(): Promise<string> {
  return path.join(path.dirname(await realpath(process.argv[1])), "studio");
}

async function filesOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    const advice = "in the repository, build it with `npm run build`";
    throw new TwingradError("BAD_INPUT", `${folder}: the studio's files are missing; ${advice}`, {
      cause: error,
    });
  });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [`/${path.relative(folder, file).split(path.sep).join("/")}`, file]));
}

/** The face finder's script and models, where the package is installed. */
function faceFinderFiles(): [address: string, file: string][] {
  let folder: string;
  try {
    folder = path.dirname(createRequire(import.meta.url).resolve("@vladmandic/face-api/package.json"));
  } catch {
    return []; // it is optional, and the page says how to install it
  }
  const models = ["tiny_face_detector_model", "face_landmark_68_model"];
  return [
    ["/face-api/face-api.esm.js", path.join(folder, "dist", "face-api.esm.js")],
    ...models.flatMap((model): [string, string][] =>
      [`${model}-weights_manifest.json`, `${model}.bin`].map((name) => [
        `/face-api/model/${name}`,
        path.join(folder, "model", name),
      ]),
    ),
  ];
}

/**
 * Whether a request's Host header is localhost, the chosen host or an IP address. Other names are refused: with DNS
 * rebinding, a foreign page could read the files.
 */
function isOwnName(header: string | undefined, host: string): boolean {
  const name = header?.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return name !== undefined && (name === "localhost" || name === host || isIP(name) !== 0);
}

export async function serveStudio(
  folder: string,
  { port, host }: { port: number; host: string },
): Promise<ServedStudio> {
  const files = new Map([...(await filesOf(folder)), ...faceFinderFiles()]);
  const page = await readFile(files.get("/index.html")!, "utf8");
  // As a header, the page's policy also applies to its workers; frame-ancestors forbids framing.
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1];
  if (!policy)
    throw new TwingradError("CORRUPT_FILE", `${files.get("/index.html")}: it has no Content-Security-Policy`);
  const headers = {
    "content-security-policy": `${policy}; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
  };
  const server = createServer(async (request, response) => {
    const plain = (status: number, text: string) =>
      response.writeHead(status, { ...headers, "content-type": types[".txt"] }).end(`${text}\n`);
    if (!isOwnName(request.headers.host, host)) return plain(403, "Forbidden host: use this server's own address.");
    if (request.method !== "GET" && request.method !== "HEAD")
      return plain(405, "Method not allowed: expected GET or HEAD.");
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = files.get(pathname === "/" ? "/index.html" : pathname);
    const body = file && (await readFile(file).catch(() => undefined));
    if (!file || !body) return plain(404, "File not found.");
    const type = types[path.extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { ...headers, "content-type": type, "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is in use; choose another with --port" : error.message;
      reject(
        new TwingradError("BAD_INPUT", `the studio cannot listen on ${host}, port ${port}: ${why}`, { cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${taken}/`,
    closed: new Promise((resolve) => server.once("close", resolve)),
    close() {
      server.close();
      server.closeAllConnections(); // a browser keeps its connections open
    },
  };
}

/** Opens the address in the user's browser; a failure is ignored, because the address is also printed. */
export function openInBrowser(url: string): void {
  const [command, ...before] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[process.platform as string] ?? [
    "xdg-open",
  ];
  const child = spawn(command, [...before, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
