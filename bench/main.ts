/** The benchmarks, step by step; `--help` tells the options. */
import { competitors } from "./competitors.js";
import { coldRow } from "./driver.js";
import { ops } from "./ops.js";
import { chooseRows, help, readOptions } from "./options.js";
import { pageStage } from "./pages.js";
import { findPeers, installPeers, nodeVersion } from "./peers.js";
import { lineOf } from "./report/lines.js";
import { rows } from "./rows.js";
import { nodeStage } from "./stage.js";
import { surveyRow } from "./survey.js";

const options = readOptions(process.argv.slice(2));
if (!options) {
  console.log(help);
  process.exit();
}
if (options.installPeers) await installPeers();
const peers = findPeers(options.torch);
const node = options.node ?? peers.node ?? process.execPath;
const stage = options.browser
  ? await pageStage(options.browser)
  : nodeStage(node, await nodeVersion(node));
const field = competitors(options, stage, peers);
const mainRows = [coldRow, ...rows.map(({ name }) => name)];
const chosen = chooseRows(
  options.only,
  mainRows,
  ops.map(({ name }) => name),
);
for (const name of chosen) {
  const result = await surveyRow(name, field, options.seconds);
  console.log(lineOf(result));
}
await stage.close();
