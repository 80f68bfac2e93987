// The API reference, which TypeDoc makes from the comments of the packages' exports, and the guide from docs/.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  Application,
  Comment,
  type CommentDisplayPart,
  CommentTag,
  Converter,
  type DocumentReflection,
  KindRouter,
  PageEvent,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
} from "typedoc";
import { categoryOf } from "./categories.ts";

const root = path.resolve(".");
const { version, homepage } = JSON.parse(readFileSync("package.json", "utf8"));
const repository = homepage.replace(/#.*/, "");

/** The studio's page, beside the others. */
const studio = "studio/index.html";

/** The entries as programs import them. */
const entries: Readonly<Record<string, string>> = {
  "src/index.ts": "twingrad",
  "src/node/index.ts": "twingrad/node",
  "src/web/index.ts": "twingrad/web",
  "src/exchange/index.ts": "twingrad/exchange",
};

/** The pages of docs/ in the reading order for newcomers; others follow. */
const guide = [
  "getting-started",
  "tensorflow-article",
  "data",
  "training",
  "recipes",
  "augmentation",
  "crops",
  "checkpoints",
  "distributed",
  "evaluation",
  "gallery",
  "liveness",
  "exchange",
  "studio",
  "cli",
  "errors",
  "devices",
  "limits",
];

/** Types that public symbols mention and that are not exported, because no program has to name them. */
const unnamed = [
  "Activation",
  "AnyResult",
  "Choice",
  "Divide",
  "DeviceTuner",
  "Dtype",
  "embeddingFormats",
  "Extent",
  "FaceApiFace",
  "FaceApiTensor",
  "faceFaults",
  "InputValues",
  "Loaded",
  "OutputsOf",
  "Padding",
  "readStored",
  "Safetensors",
  "SavedModel",
  "towerKinds",
  "Towers",
  "TrainingSpec",
];

function documents(): string[] {
  const names = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".md"));
  const place = (name: string) => (guide.indexOf(name.replace(".md", "")) + guide.length + 1) % (guide.length + 1);
  const pages = names("docs").sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  const about = ["CONTRIBUTING.md", "CHANGELOG.md"];
  const decisions = names("docs/decisions").sort().reverse();
  return [...pages.map((name) => `docs/${name}`), ...about, ...decisions.map((name) => `docs/decisions/${name}`)];
}

/** @param style the file with the site's looks. */
export async function convert(style?: string): Promise<{ app: Application; project: ProjectReflection }> {
  const app = await Application.bootstrap({
    name: `twingrad ${version}`,
    entryPoints: Object.keys(entries),
    tsconfig: "tsconfig.json",
    basePath: root,
    displayBasePath: root,
    readme: "README.md",
    projectDocuments: documents(),
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeReferences: true, // what two entries export is listed under the first
    skipErrorChecking: true, // `npm run check` has checked the types
    intentionallyNotExported: unnamed,
    validation: { invalidLink: true, invalidPath: true, notExported: true, notDocumented: false },
    disableGit: true,
    sourceLinkTemplate: `${repository}/blob/main/{path}#L{line}`,
    categorizeByGroup: false,
    categoryOrder: ["Training", "Networks", "Losses", "Optimizers", "Data pipeline", "*", "Errors"],
    groupOrder: ["Guide", "Modules", "Inside", "Decisions", "*"],
    sort: ["alphabetical-ignoring-documents"],
    navigation: { includeCategories: true, includeGroups: true },
    navigationLinks: { Studio: studio, Source: repository },
    highlightLanguages: ["typescript", "javascript", "json", "bash", "sh", "html", "python", "tsx", "wgsl", "diff"],
    customCss: style,
    headings: { readme: false, document: false },
    hideGenerator: true,
    router: "site",
    logLevel: "Warn",
  });
  app.renderer.defineRouter("site", SiteRouter);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) place(reflection, project);
  });
  app.renderer.on(PageEvent.END, (page: PageEvent) => {
    const top = "../".repeat(page.url.split("/").length - 1);
    page.contents = page.contents?.replaceAll(`href="${studio}"`, `href="${top}${studio}"`);
  });
  const project = await app.convert();
  if (!project) throw new Error("TypeDoc could not convert the sources.");
  return { app, project };
}

/** Addresses that stay when a heading changes: a page's file name. */
class SiteRouter extends KindRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    const file = reflection.isDocument() && reflection.project.files.getReflectionPath(reflection);
    return file ? `guide/${path.basename(file, ".md")}` : super.getIdealBaseName(reflection);
  }
}

/** Gives an entry its name, a symbol its category, a page of docs/ its title and group. */
function place(reflection: Reflection, project: ProjectReflection): void {
  if (reflection.isDocument()) placeDocument(reflection, project);
  if (!reflection.isDeclaration()) return;
  const file = reflection.sources?.[0]?.fileName ?? "";
  if (reflection.kindOf(ReflectionKind.Module)) reflection.name = entries[file] ?? reflection.name;
  else if (reflection.parent?.kindOf(ReflectionKind.Module)) tag(reflection, "@category", categoryOf(file));
}

function tag(reflection: Reflection, name: `@${string}`, text: string): void {
  reflection.comment ??= new Comment();
  reflection.comment.blockTags.push(new CommentTag(name, [{ kind: "text", text }]));
}

const inside = ["architecture", "engine", "kernels", "performance", "experiments", "CONTRIBUTING", "CHANGELOG"];

function placeDocument(page: DocumentReflection, project: ProjectReflection): void {
  const file = path.relative(root, project.files.getReflectionPath(page) ?? "");
  page.name = /^# (.+)$/m.exec(page.content.map(({ text }) => text).join(""))?.[1] ?? page.name;
  const name = path.basename(file, ".md");
  page.frontmatter.group = file.startsWith("docs/decisions/")
    ? "Decisions"
    : inside.includes(name)
      ? "Inside"
      : "Guide";
  page.content = page.content.map((part) => outwards(part, project));
}

/** Links to the repository's other files lead there; pages and pictures are part of the site. */
function outwards(part: CommentDisplayPart, project: ProjectReflection): CommentDisplayPart {
  if (part.kind !== "relative-link" || part.target === undefined) return part;
  const file = project.files.resolvePath(part.target);
  if (!file || /\.(md|png|svg|webp|jpg)$/.test(file)) return part;
  return { kind: "text", text: `${repository}/blob/main/${path.relative(root, file)}` };
}
