// Bundles the editor into one file, with the licences of what is in it beside it. The same input gives the same bytes.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const target = "../../jobs/serving/portal/static/editor";
const { metafile } = await build({
  entryPoints: ["editor.js"],
  outfile: `${target}/editor.min.js`,
  bundle: true,
  minify: true,
  metafile: true,
  format: "iife",
  target: "es2020",
  charset: "utf8",
  legalComments: "none",
});

const packages = new Set();
for (const file of Object.keys(metafile.inputs)) {
  const found = file.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const texts = [...packages].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  if (license !== "MIT") throw new Error(`${name} has the licence ${license}: read it, and allow it here`);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
writeFileSync(`${target}/LICENSES`, texts.join(`\n${"-".repeat(72)}\n\n`));
