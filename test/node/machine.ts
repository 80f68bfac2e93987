// A machine described by the paths of its files, to play others than the one that the tests run on.
import type { Machine } from "../../src/node/adapter/findAdapter.mjs";

export interface FakeMachine extends Machine {
  readonly files: Set<string>;
  env: Record<string, string | undefined>;
}

/** `links` maps symbolic links, which exist as well, to the files behind them. */
export function fakeMachine(
  platform: string,
  files: string[],
  { env = {}, links = {} }: { env?: Record<string, string>; links?: Record<string, string> } = {},
): FakeMachine {
  const separator = platform === "win32" ? "\\" : "/";
  const all = new Set([...files, ...Object.keys(links)]);
  return {
    platform,
    env,
    files: all,
    home: platform === "win32" ? "C:\\Users\\ada" : "/home/ada",
    exists: (file) => all.has(file),
    list: (folder) => {
      const inside = [...all].filter((file) => file.startsWith(folder + separator));
      return [...new Set(inside.map((file) => file.slice(folder.length + 1).split(separator)[0]!))];
    },
    realPath: (file) => links[file] ?? file,
  };
}
