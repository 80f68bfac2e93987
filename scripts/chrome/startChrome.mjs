// @ts-check
// Starts a headless Chrome with WebGPU and asks it for an adapter. Plain JavaScript, because the set-up script proves
// its choice with it; puppeteer is a tool of the repository, not part of the library.

/**
 * The arguments that make Chrome compute on the GPU, or on SwiftShader.
 * @param {string} platform as `process.platform`
 * @param {"gpu" | "software"} adapter
 * @returns {string[]}
 */
export function chromeArguments(platform, adapter) {
  const quiet = ["disable-quic", "no-first-run", "disable-background-networking", "disable-component-update"];
  // Chrome on Linux disables WebGPU and its Vulkan back end by default. The flag also gives unrounded timestamps.
  const webgpu = ["enable-unsafe-webgpu"];
  if (adapter === "software") webgpu.push("use-webgpu-adapter=swiftshader");
  else if (platform === "linux") {
    webgpu.push("enable-features=Vulkan", "use-angle=vulkan", "disable-vulkan-surface", "ignore-gpu-blocklist");
  }
  // Chrome's sandbox does not work as root, in containers and on some distributions; only our own pages are opened.
  const sandbox = platform === "linux" ? ["no-sandbox"] : [];
  return [...webgpu, ...sandbox, ...quiet, "disable-sync"].map((flag) => `--${flag}`);
}

/**
 * @param {string} executablePath
 * @param {"gpu" | "software"} adapter
 * @param {readonly string[]} [more] arguments
 * @returns {Promise<import("puppeteer").Browser>}
 */
export async function startChrome(executablePath, adapter, more = []) {
  const { default: puppeteer } = await import("puppeteer");
  const args = [...chromeArguments(process.platform, adapter), ...more];
  return puppeteer.launch({ executablePath, headless: true, args });
}

/**
 * Opens a device in a page of its own.
 * @param {import("puppeteer").Browser} browser
 * @returns {Promise<{ vendor: string, architecture: string } | null>} null where the browser has no adapter
 */
export async function probeChrome(browser) {
  const page = await browser.newPage();
  try {
    // WebGPU needs a secure context, which http://localhost is; the answer comes from here, so nothing has to listen.
    await page.setRequestInterception(true);
    page.on("request", (request) => request.respond({ contentType: "text/html", body: "<!doctype html>" }));
    await page.goto("http://localhost/");
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
      if (!adapter) return null;
      const { vendor, architecture } = adapter.info;
      (await adapter.requestDevice()).destroy();
      return { vendor, architecture };
    });
  } finally {
    await page.close();
  }
}
