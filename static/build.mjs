// Bundles the browser code, styles, fonts and icons into static/dist/.
// `node static/build.mjs` makes the release bundle; `--watch` rebuilds on change, with source maps.
import { build, context } from "esbuild";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const dist = join(here, "dist");
const watch = process.argv.includes("--watch");

// Documents are set by typst, which reads TrueType only; pages use the variable WOFF2 from the stylesheet.
const documentFonts = { Regular: "400Regular", Italic: "400Regular_Italic", Medium: "500Medium", SemiBold: "600SemiBold", Bold: "700Bold" };

const options = {
  entryPoints: [
    { in: join(here, "js/app.js"), out: "app" },
    { in: join(here, "js/charts.js"), out: "charts" },
    { in: join(here, "css/app.css"), out: "app" },
  ],
  outdir: dist,
  bundle: true,
  minify: !watch,
  // A source map in a release is served, compressed and fetched for nothing.
  sourcemap: watch ? "linked" : false,
  format: "iife",
  target: ["es2022", "chrome123", "firefox121", "safari17.5"],
  loader: { ".woff2": "file", ".svg": "dataurl" },
  assetNames: "fonts/[name]",
  legalComments: "linked",
  logLevel: "warning",
};

async function copyDocumentFonts() {
  const source = join(modules, "@expo-google-fonts", "inter");
  const target = join(dist, "fonts");
  await mkdir(target, { recursive: true });
  await cp(join(source, "LICENSE_FONT"), join(target, "Inter-OFL.txt"));
  for (const [name, folder] of Object.entries(documentFonts)) {
    await cp(join(source, folder, `Inter_${folder}.ttf`), join(target, `Inter-${name}.ttf`));
  }
}

async function readSymbol(entry) {
  const [style, name] = entry.includes("/") ? entry.split("/") : ["outline", entry];
  const svg = await readFile(join(modules, "@tabler/icons/icons", style, `${name}.svg`), "utf8").catch(() => {
    throw new Error(`static/icons.txt: there is no Tabler icon "${entry}"`);
  });
  const body = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].replace(/\s*\n\s*/g, "");
  const paint =
    style === "filled"
      ? 'fill="currentColor"'
      : 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
  const id = style === "filled" ? `${name}-filled` : name;
  return `<symbol id="${id}" viewBox="0 0 24 24" ${paint}>${body}</symbol>`;
}

async function writeIconSprite() {
  const list = await readFile(join(here, "icons.txt"), "utf8");
  const entries = list.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  const symbols = await Promise.all([...new Set(entries)].map(readSymbol));
  await writeFile(join(dist, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await Promise.all([copyDocumentFonts(), writeIconSprite()]);
if (watch) {
  await (await context(options)).watch();
} else {
  await build(options);
}
