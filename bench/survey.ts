/** Measures a row with everybody who takes part. */
import type { Refusal } from "./driver.js";
import { firstLine } from "./driver.js";
import type { Competitor, Entrant } from "./entrant.js";
import type { Timing } from "./measure.js";
import { measure } from "./measure.js";
import type { Figure, RowResult } from "./results.js";
import { operationsOf, products } from "./workloads.js";

/** Row `name`: all of `field` enter, take turns, and leave. */
export async function surveyRow(
  name: string,
  field: readonly Competitor[],
  seconds: number,
): Promise<RowResult> {
  const entered = await Promise.all(field.map((competitor) => enter(competitor, name)));
  const present = entered.filter((one): one is Entrant => !("cannot" in one));
  const timings = await measure(present, seconds);
  await Promise.all(present.map((entrant) => entrant.leave()));
  const figures = field.map((competitor, index): Figure => {
    const one = entered[index]!;
    const timing = "cannot" in one ? one : timings[present.indexOf(one)]!;
    return figureOf(name, competitor, one, timing);
  });
  return { w: name, date: new Date().toISOString().slice(0, 10), figures };
}

async function enter(competitor: Competitor, row: string): Promise<Entrant | Refusal> {
  try {
    return await competitor.enter(row);
  } catch (error) {
    return { cannot: firstLine(error) };
  }
}

function figureOf(
  row: string,
  { name, threads, own }: Competitor,
  entrant: Entrant | Refusal,
  timing: Timing | Refusal,
): Figure {
  const who = { competitor: name, threads, own };
  if ("cannot" in entrant) return { ...who, cannot: entrant.cannot };
  if ("cannot" in timing) return { ...who, cannot: timing.cannot };
  const { version, build, error } = entrant.ready;
  const product = products[row];
  return {
    ...who,
    ...(build !== undefined && { competitor: build }),
    ...(version !== "" && { version }),
    min_ms: rounded(timing.min),
    med_ms: rounded(timing.median),
    n: timing.samples,
    ...(product && { gflops: rounded(operationsOf(product) / timing.min / 1e6) }),
    err: rounded(error),
    ...(timing.peak !== undefined && { peak_mb: Math.round(timing.peak / 2 ** 20) }),
  };
}

/** To four digits. */
export const rounded = (x: number): number => Number(x.toPrecision(4));
