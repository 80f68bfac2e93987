// The examples of README.md and docs/, as they stand there. A comment before a fence says what it is, where that is not a
// program that runs by itself: `<!-- not run: REASON -->`, or `<!-- tour -->` for commands that are run one after the other.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../../..");

export interface Example {
  /** As README.md:30. */
  place: string;
  /** What the fence says: ts, js, sh, json. A fence without a language is a drawing or an output, and not among them. */
  language: string;
  text: string;
  tour: boolean;
  /** Why it is not run. */
  notRun: string | undefined;
}

export async function readExamples(): Promise<Example[]> {
  const docs = (await readdir(path.join(root, "docs"))).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", ...docs.sort().map((name) => `docs/${name}`)];
  const texts = await Promise.all(pages.map((page) => readFile(path.join(root, page), "utf8")));
  return pages.flatMap((page, i) => examplesIn(page, texts[i]));
}

export function examplesIn(page: string, text: string): Example[] {
  const fence = /(?:^<!-- *(.*?) *-->\n+)?^```(\w*)\n(.*?)^```$/gms;
  const found = [...text.matchAll(fence)].filter(({ 2: language }) => language);
  return found.map(({ 0: whole, 1: mark = "", 2: language, 3: code, index }) => {
    const line = text.slice(0, index + whole.indexOf("```")).split("\n").length;
    const notRun = /^not run: (.+)/.exec(mark)?.[1];
    return { place: `${page}:${line}`, language, text: code, tour: mark === "tour", notRun };
  });
}

/** The commands of an example in sh, without the comments behind them. */
export const commandsOf = ({ text }: Example): string[] =>
  text.split("\n").flatMap((line) => line.replace(/(^|\s+)#.*/, "").trim() || []);
