/** The benchmarks, step by step; `--help` tells the options. */
import { competitors } from "./competitors.js";
import { coldRow } from "./driver.js";
import { ops } from "./ops.js";
import { chooseRows, help, readOptions } from "./options.js";
import { pageStage } from "./pages.js";
import { findPeers, installPeers, nodeVersion } from "./peers.js";
import { save } from "./report/files.js";
import { lineOf, sizeLine } from "./report/lines.js";
import { terminalText } from "./report/terminal.js";
import type { RowResult } from "./results.js";
import { thisMachine } from "./results.js";
import { tolerance } from "./row.js";
import { rows } from "./rows.js";
import { measureSizes } from "./sizes.js";
import { nodeStage } from "./stage.js";
import { surveyRow } from "./survey.js";

const sizeRow = "size";
const mainRows = [coldRow, ...rows.map(({ name }) => name), sizeRow];

const options = readOptions(process.argv.slice(2));
if (!options) {
  console.log(help);
  process.exit();
}
const opRows = ops.map(({ name }) => name);
const chosen = chooseRows(options.only, mainRows, opRows);

if (options.installPeers) await installPeers();
const peers = findPeers(options.torch);
const node = options.node ?? peers.node ?? process.execPath;
const stage = options.browser
  ? await pageStage(options.browser)
  : nodeStage(node, await nodeVersion(node));
const field = competitors(options, stage, peers);
const machine = thisMachine(stage.name);
const host = options.browser ?? "node";

const results: RowResult[] = [];
for (const name of chosen.filter((row) => row !== sizeRow)) {
  if (!options.json) console.error(`${name} …`);
  const result = await surveyRow(name, field, options.seconds);
  results.push(result);
  if (options.json) console.log(lineOf(result));
  if (options.kept) await save(host, { machine, rows: [result], sizes: [] }, mainRows);
}
await stage.close();

if (chosen.includes(sizeRow)) {
  const sizes = await measureSizes(options.alone ? [] : peers.packages);
  if (options.json) console.log(sizeLine(sizes));
  if (options.kept) await save(host, { machine, rows: [], sizes }, mainRows);
}
if (!options.json) console.log(terminalText(results));

for (const { w, figures } of results) {
  for (const { competitor, threads, own, err = 0 } of figures) {
    if (!own || err <= tolerance) continue;
    console.error(`${w}: ${competitor} on ${threads} threads has an error of ${err}`);
    process.exitCode = 1;
  }
}
