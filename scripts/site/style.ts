// The site's looks: TypeDoc's own page in the report's colors.
import { palette } from "../../src/report/style.ts";

type Theme = keyof typeof palette;

const colors = (theme: Theme) => {
  const { paper, card, ink, soft, line, accent, other, bad } = palette[theme];
  return Object.entries({
    background: card,
    "background-secondary": paper,
    "background-active": line,
    accent: line,
    text: ink,
    "contrast-text": ink,
    "text-aside": soft,
    "icon-background": paper,
    link: accent,
    "focus-outline": accent,
    "comment-tag": paper,
    "alert-note": accent,
    document: accent,
    "ts-function": accent,
    "ts-class": other,
    "ts-accessor": bad,
  })
    .map(([name, value]) => `--${theme}-color-${name}: ${value};`)
    .join(" ");
};

export const style = `
:root { ${colors("light")} ${colors("dark")} --dim-container-main-margin-y: 1.5rem; }
body { font: 16px/1.6 system-ui, "Segoe UI", Roboto, sans-serif; background: var(--color-background-secondary); }
.container { max-width: 1480px; }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; }
.tsd-typography p, .tsd-typography li { max-width: 78ch; }
.tsd-typography h1, .tsd-page-title h1 { letter-spacing: -0.02em; line-height: 1.2; }
.tsd-typography h2, .tsd-typography h3 { letter-spacing: -0.01em; }
.col-content { background: var(--color-background); border: 1px solid var(--color-accent); border-radius: 14px; padding: 28px 32px; min-width: 0; }
.tsd-typography pre, .tsd-signature { border-radius: 10px; border-color: var(--color-accent); background: var(--color-background-secondary); }
.tsd-typography pre, .tsd-typography pre code { white-space: pre; word-wrap: normal; }
.tsd-typography pre { overflow-x: auto; }
.tsd-typography pre code, .tsd-typography pre code span { background: none; }
.tsd-typography table tr, .tsd-typography table thead tr { background: none; }
.tsd-typography table { display: block; overflow-x: auto; border-collapse: collapse; }
.tsd-typography th, .tsd-typography td { border: 0; border-bottom: 1px solid var(--color-accent); padding: 7px 14px 7px 0; text-align: left; vertical-align: top; }
.tsd-typography td code { overflow-wrap: anywhere; }
.tsd-typography td { min-width: 8.5rem; }
.tsd-typography td:first-child:nth-last-child(2) code { white-space: nowrap; }
.tsd-typography img { max-width: 100%; height: auto; border-radius: 10px; }
.tsd-typography p:has(> img[src$=".svg"]) { max-width: none; overflow-x: auto; }
.tsd-typography img[src$="architecture.svg"] { min-width: 620px; }
.tsd-typography .tsd-anchor-icon { margin-right: -2rem; }
.tsd-breadcrumb:has(> li:only-child) { display: none; }
.tsd-breadcrumb li:last-child::after { content: none; }
.tsd-page-toolbar { background: var(--color-background); border-bottom-color: var(--color-accent); }
.tsd-navigation a.current { border-radius: 6px; }
@media (min-width: 1200px) { .container-main { grid-template-columns: 15rem minmax(0, 1fr) 14rem; } }
@media (max-width: 769px) { .col-content { padding: 16px; border-radius: 0; border-width: 1px 0; margin: 0 -1rem; } }
`;
