// Finds phrases that must not come back, and says what to write instead: `node scripts/words.mjs [PATH...]`.
// Prose, comments, messages, test names and identifiers alike; a line that needs the phrase says so with "words: allow".
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** [pattern, what to write]. Patterns are tried on each line, whatever the case. */
const phrases = [
  [/\b(behind|beside) one another\b/, "concatenated"],
  [/\bin fours\b/, "a multiple of 4"],
  [
    /(?<!for \(const )\bpictures? of (a |other )?pictures?\b|\bpictures? of one\b(?! (identity|person)|`)/,
    "presentation attack (spoof), replay or print",
  ],
  [/\bpairs? of (one|two)\b(?! identity depend)/, "genuine pair, impostor pair"],
  [/\bwhom\b/, "who, that; or turn the sentence round"],
  [/\b(of|from|in|with|by) which\b(?! case)/, "two sentences"],
  [/\bma(k|d)e again\b|\bmakes again\b/, "recompute"],
  [/\bturned by (quarters|\d|a quarter)/, "rotated by 90, 180, 270 degrees"],
  [/(?<!there )\b(is|are|was|were) none\b/, "missing, absent, invalid; there is no ..."],
  [/\bpass(es)? over the data\b/, "epoch"],
  [/\bjudg(e|es|ed|ing|ement|ements)\b|judgement/, "evaluate, score, metric, operating point"],
  [/\bwhat made\b|\bwhat makes\b/, "name the thing"],
  [/\brightly\b|\bwrongly\b/, "correctly, incorrectly"],
  [/\bas (TensorFlow|PyTorch) \d? ?samples\b/, "half-pixel centers, TF1-compatible bilinear"],
  [
    /(recogni|normali|initiali|optimi|seriali|regulari|quanti|summari|standardi|minimi|maximi|organi|visuali|tokeni|rasteri)s(e|ed|es|er|ers|ing|ation|ations)\b/,
    "the American spelling: -ize",
  ],
  [
    /colour|(?<!["'`|.]|--|\bor |cropped: |default: |one of |\\\\)\bcentre\b(?!["'`:?])|centres|centred|(?<!["/])centring(?!\/)|behaviour|neighbour|\bgrey|favour|analys(e|ed|es|ing)\b|catalogue|labelled(?!by)|modelled|cancelled|artefact/,
    "the American spelling",
  ],
];

const extensions = /\.(ts|tsx|mjs|js|wgsl|md|html|css|json|yaml|yml|sh)$/;
const skipped =
  /^(scripts\/words\.mjs|CHANGELOG\.md|package-lock\.json|bench\/results\/|docs\/decisions\/|src\/studio\/recorded-run\.json|src\/exchange\/onnx\/schema\/onnx_pb\.ts|LICENSE)/;

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", ...process.argv.slice(2)],
  { encoding: "utf8" },
)
  .split("\n")
  .filter((file) => extensions.test(file) && !skipped.test(file));
const found = [];
for (const file of files) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    continue; // deleted, and not committed yet
  }
  text.split("\n").forEach((line, i) => {
    if (line.includes("words: allow")) return;
    for (const [pattern, instead] of phrases) {
      const [phrase] = new RegExp(pattern, "i").exec(line) ?? [];
      if (phrase !== undefined) found.push(`${file}:${i + 1}: "${phrase}": write ${instead}`);
    }
  });
}
for (const one of found) console.error(one);
if (found.length > 0) console.error(`${found.length} phrases to rewrite; the list is in scripts/words.mjs`);
process.exitCode = found.length > 0 ? 1 : 0;
