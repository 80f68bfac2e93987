// Checks the links of a folder of static files: every address within it leads to a file, every anchor to an element.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { Parser } from "htmlparser2";

interface Page {
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

function read(file: string): Page {
  const anchors = new Set<string>();
  const links: string[] = [];
  const parser = new Parser({
    onopentag(name, { id, href, src, name: anchor }) {
      for (const one of [id, name === "a" ? anchor : undefined]) if (one) anchors.add(one);
      for (const one of [href, src]) if (one) links.push(one);
    },
  });
  parser.end(readFileSync(file, "utf8"));
  return { anchors, links };
}

/** A line for each link that leads nowhere: `page: link`. */
export function brokenLinks(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const pages = new Map(
    files.filter((file) => file.endsWith(".html")).map((file) => [file, read(path.join(folder, file))]),
  );
  const leads = (page: string, link: string): boolean => {
    if (/^[a-z]+:|^\/\//i.test(link)) return true; // another site
    const [address, anchor = ""] = link.split("#");
    const target = address
      ? path.normalize(path.join(path.dirname(page), decodeURIComponent(address.replace(/\?.*/, ""))))
      : page;
    const file = path.join(folder, target);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return false;
    return !anchor || !pages.has(target) || pages.get(target)!.anchors.has(decodeURIComponent(anchor));
  };
  return [...pages].flatMap(([page, { links }]) =>
    [...new Set(links)].filter((link) => !leads(page, link)).map((link) => `${page}: ${link}`),
  );
}
