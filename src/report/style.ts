// The report's looks, light and dark; the documentation's site takes its colors, too.
export const palette = {
  light: {
    paper: "#f7f6f3",
    card: "#ffffff",
    ink: "#1d2126",
    soft: "#626b76",
    line: "#dcdad4",
    accent: "#0f7b6c",
    other: "#d9823b",
    good: "#0f7b6c",
    bad: "#c2413a",
  },
  dark: {
    paper: "#14171a",
    card: "#1d2125",
    ink: "#e9e7e2",
    soft: "#9aa4ae",
    line: "#343a40",
    accent: "#45c4b0",
    other: "#f0a35e",
    good: "#45c4b0",
    bad: "#f07f78",
  },
} as const;

const declarations = (colors: Readonly<Record<string, string>>) =>
  Object.entries(colors)
    .map(([name, color]) => `--${name}: ${color};`)
    .join(" ");

export const style = `
:root { color-scheme: light dark; ${declarations(palette.light)} }
@media (prefers-color-scheme: dark) { :root { ${declarations(palette.dark)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 12px; letter-spacing: -0.02em; }
h2 { font-size: 1.35rem; margin: 0 0 10px; letter-spacing: -0.01em; }
h3 { font-size: 0.98rem; margin: 14px 0 8px; }
p { margin: 0 0 12px; max-width: 72ch; }
small, .soft { color: var(--soft); font-size: 0.86rem; }
section { overflow-x: auto; margin-top: 28px; padding: 24px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 14px; padding: 0; border: 0; background: none; }
.tile { display: flex; flex-direction: column; padding: 16px 18px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.tile span { color: var(--soft); font-size: 0.9rem; }
.tile strong { font-size: 1.9rem; line-height: 1.3; font-variant-numeric: tabular-nums; color: var(--accent); }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 24px; align-items: start; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; margin: 16px 0 0; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 12px 0; }
table.wide { width: 100%; }
th, td { padding: 7px 14px 7px 0; text-align: right; border-bottom: 1px solid var(--line); font-weight: 400; }
th:first-child { text-align: left; }
thead th { color: var(--soft); font-size: 0.86rem; }
ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 10px; }
img { width: 56px; height: 56px; border-radius: 6px; object-fit: contain; image-rendering: pixelated; display: block; }
.pairs li { display: grid; grid-template-columns: 56px 56px; gap: 2px; }
.pairs small { grid-column: 1 / 3; text-align: center; overflow-wrap: anywhere; }
.probes li { text-align: center; }
.probes img { border: 2px solid currentColor; }
.probes small, .good, .bad { color: inherit; }
.good { color: var(--good); } .bad { color: var(--bad); }
.who { display: flex; flex-direction: column; gap: 2px; min-width: 96px; }
td.bar { width: 34%; padding-right: 0; }
td.bar i { display: block; height: 10px; border-radius: 3px; background: var(--accent); min-width: 1px; }
code { font: 0.9em ui-monospace, Menlo, Consolas, monospace; }
@media print { section, .tile { break-inside: avoid; } }
`;
