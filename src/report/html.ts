// Shared parts of the report pages: text, figures and pictures as HTML.

/** A picture as a data URI. */
export type Picture = string;

export interface ReportPair {
  left: Picture;
  right: Picture;
  /** Shown below the pair: of the two pictures, where they are useful, and the pair's distance or the like. */
  names?: readonly [left: string, right: string];
  caption: string;
  likeness?: string;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const text = (value: string) => value.replace(/[&<>"]/g, (character) => escapes[character]);
export const percent = (share: number, places = 1) => `${(100 * share).toFixed(places)} %`;
export const picture = (uri: Picture, alt: string) => `<img src="${uri}" alt="${text(alt)}">`;

export function tile(name: string, value: string, note: string): string {
  return `<div class="tile"><span>${text(name)}</span><strong>${value}</strong><small>${note}</small></div>`;
}

/** Pairs of pictures under a heading, colored by whether the answer was correct. */
export function pairGroup(title: string, right: boolean, pairs: readonly ReportPair[]): string {
  const one = ({ left, right, names, caption, likeness = "" }: ReportPair) =>
    `<li>${picture(left, "left picture")}${picture(right, "right picture")}<small>${[
      ...(names ?? []),
      caption,
      likeness,
    ]
      .filter((line) => line !== "")
      .map(text)
      .join("<br>")}</small></li>`;
  return `<div><h3 class="${right ? "good" : "bad"}">${text(title)}</h3>
${pairs.length > 0 ? `<ul class="pairs">${pairs.map(one).join("")}</ul>` : "<p>None.</p>"}</div>`;
}

/** One self-contained file without scripts. */
export function htmlPage(title: string, style: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title><style>${style}</style></head><body><main>
${parts.join("\n")}
</main></body></html>
`;
}
