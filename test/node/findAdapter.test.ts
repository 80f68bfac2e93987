// Finding Chrome and Vulkan drivers on machines of every kind, described by their files.
import { describe, expect, test } from "vitest";
import { findChrome, findSoftwareDriver, vulkanDrivers } from "../../src/node/adapter/findAdapter.mjs";
import { fakeMachine } from "./machine.ts";

describe("findChrome", () => {
  test("takes what CHROME names before anything else", () => {
    const machine = fakeMachine("linux", ["/odd/chrome", "/usr/bin/chromium"], {
      env: { PATH: "/usr/bin", CHROME: "/odd/chrome" },
    });
    expect(findChrome(machine)).toBe("/odd/chrome");
  });

  test("refuses a CHROME that is not there, though another is installed", () => {
    const machine = fakeMachine("linux", ["/usr/bin/chromium"], { env: { PATH: "/usr/bin", CHROME: "/odd/chrome" } });
    expect(() => findChrome(machine)).toThrow('CHROME is "/odd/chrome", which does not exist');
  });

  test.each([
    ["google-chrome", ["/usr/bin/chromium", "/usr/local/bin/google-chrome"], "/usr/local/bin/google-chrome"],
    ["chromium", ["/usr/bin/chromium"], "/usr/bin/chromium"],
    ["chromium-browser", ["/usr/bin/chromium-browser"], "/usr/bin/chromium-browser"],
  ])("finds %s on PATH", (_, files, expected) => {
    expect(findChrome(fakeMachine("linux", files, { env: { PATH: "/usr/bin::/usr/local/bin" } }))).toBe(expected);
  });

  test.each([
    ["darwin", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"],
    ["darwin", "/home/ada/Applications/Chromium.app/Contents/MacOS/Chromium"],
    ["win32", "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"],
    ["win32", "C:\\Users\\ada\\AppData\\Local\\Chromium\\Application\\chrome.exe"],
    ["linux", "/opt/google/chrome/chrome"],
  ])("finds it in the usual place on %s: %s", (platform, file) => {
    const env = { PATH: "", ProgramFiles: "C:\\Program Files", LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local" };
    expect(findChrome(fakeMachine(platform, [file], { env }))).toBe(file);
  });

  test("takes the newest of puppeteer's downloads, by number", () => {
    const cache = "/home/ada/.cache/puppeteer/chrome";
    const builds = ["linux-99.0.1.2", "linux-148.0.7778.97", "linux-148.0.7778.9"];
    const files = builds.map((build) => `${cache}/${build}/chrome-linux64/chrome`);
    expect(findChrome(fakeMachine("linux", files))).toBe(`${cache}/linux-148.0.7778.97/chrome-linux64/chrome`);
  });

  test("looks for puppeteer's downloads where PUPPETEER_CACHE_DIR says", () => {
    const file = "/big/chrome/mac_arm-148.0.1.2/chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/";
    const machine = fakeMachine("darwin", [`${file}Google Chrome for Testing`], {
      env: { PUPPETEER_CACHE_DIR: "/big" },
    });
    expect(findChrome(machine)).toBe(`${file}Google Chrome for Testing`);
  });

  test("is null where there is none", () => {
    expect(findChrome(fakeMachine("linux", ["/usr/bin/node"], { env: { PATH: "/usr/bin" } }))).toBeNull();
  });
});

describe("findSoftwareDriver", () => {
  test("finds the driver behind a link on PATH", () => {
    const machine = fakeMachine("linux", ["/srv/chrome/chrome", "/srv/chrome/vk_swiftshader_icd.json"], {
      env: { PATH: "/usr/bin" },
      links: { "/usr/bin/google-chrome": "/srv/chrome/chrome" },
    });
    expect(findSoftwareDriver(machine)).toEqual({ icd: "/srv/chrome/vk_swiftshader_icd.json", loader: null });
  });

  test("finds Debian's, whose command is a script elsewhere, with the Vulkan loader beside it", () => {
    const files = ["vk_swiftshader_icd.json", "libvulkan.so.1"].map((name) => `/usr/lib/chromium/${name}`);
    const machine = fakeMachine("linux", ["/usr/bin/chromium", ...files], { env: { PATH: "/usr/bin" } });
    expect(findSoftwareDriver(machine)).toEqual({ icd: files[0], loader: files[1] });
  });

  test("goes on to another Chrome when the first carries none", () => {
    const folder = "/home/ada/.cache/puppeteer/chrome/linux-148.0.1.2/chrome-linux64";
    const machine = fakeMachine(
      "linux",
      ["/usr/bin/chromium", `${folder}/chrome`, `${folder}/vk_swiftshader_icd.json`],
      {
        env: { PATH: "/usr/bin" },
      },
    );
    expect(findSoftwareDriver(machine)?.icd).toBe(`${folder}/vk_swiftshader_icd.json`);
  });

  test("is for Linux alone: elsewhere the system has an adapter of its own", () => {
    const file = "C:\\Program Files\\Google\\Chrome\\Application\\vk_swiftshader_icd.json";
    expect(findSoftwareDriver(fakeMachine("win32", [file]))).toBeNull();
  });
});

describe("vulkanDrivers", () => {
  const nvidia = "/usr/share/vulkan/icd.d/nvidia_icd.json";
  const own = "/home/ada/.local/share/vulkan/icd.d/own.json";

  test("lists the manifests of the system and of the user, and nothing else", () => {
    const machine = fakeMachine("linux", [nvidia, own, "/usr/share/vulkan/icd.d/README", "/etc/vulkan/icd.d/a.json"]);
    expect(vulkanDrivers(machine)).toEqual(["/etc/vulkan/icd.d/a.json", own, nvidia]);
  });

  test("VK_DRIVER_FILES replaces the search, VK_ADD_DRIVER_FILES adds to it", () => {
    const files = [nvidia, "/x/swift.json"];
    const env = { VK_DRIVER_FILES: "/x/swift.json:/x/gone.json" };
    expect(vulkanDrivers(fakeMachine("linux", files, { env }))).toEqual(["/x/swift.json"]);
    const added = { VK_ADD_DRIVER_FILES: "/x/swift.json" };
    expect(vulkanDrivers(fakeMachine("linux", files, { env: added }))).toEqual(["/x/swift.json", nvidia]);
  });

  test("is empty on a machine without drivers", () => {
    expect(vulkanDrivers(fakeMachine("linux", ["/usr/bin/chromium"]))).toEqual([]);
  });
});
